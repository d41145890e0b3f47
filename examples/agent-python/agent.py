#!/usr/bin/env python3
"""A car that must charge, as a bidding agent of `walras serve`: written from docs/protocol.md with the standard library.
agent.py URL KEY-FILE MARKET AGENT ARRIVE DEPART ENERGY_KWH CHARGE_KW
ARRIVE, DEPART: steps of the market; KEY-FILE: what `walras key create` printed."""
import base64, json, random, sys, time, urllib.error, urllib.request
url, key_file, market, agent = sys.argv[1:5]
arrive, depart, energy_kwh, charge_kw = map(float, sys.argv[5:9])
key = dict(line.split() for line in open(key_file) if line.strip())
basic = base64.b64encode(f"{key['client_id']}:{key['client_secret']}".encode()).decode()
token = None

def send(method, path, body=None, auth=None, kind="application/json"):
    """Status and answer. Tries until the server is there and willing: a request may arrive twice, which is fine."""
    global token
    pause = 0.1
    while True:
        if not auth and not token:
            form = b"grant_type=client_credentials", "Basic " + basic, "application/x-www-form-urlencoded"
            token = send("POST", "/v1/token", *form)[1]["access_token"]
        wait, data = 0, json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Authorization": auth or "Bearer " + token, "Content-Type": kind}
        request = urllib.request.Request(url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 401 and auth:
                sys.exit(f"{key_file}: the server does not know this key")
            if error.code not in (401, 429, 500, 503):
                return error.code, json.load(error)
            token = None if error.code == 401 else token  # it has ended: get a new one
            wait = int(error.headers.get("Retry-After") or 0)
        except (OSError, ValueError):
            pass  # not there, or gone in the middle of an answer
        time.sleep(max(wait, pause * random.uniform(0.5, 1)))
        pause = min(2 * pause, 10)

def best_response(prices, step_h):  # what is paid for the energy is no cost of the car's own
    draw_kw, left_kw = [0.0] * len(prices), energy_kwh / step_h
    for step in sorted(range(int(arrive), int(depart)), key=lambda step: prices[step]):
        draw_kw[step] = min(charge_kw, left_kw)
        left_kw -= draw_kw[step]
    return {"draw_kw": draw_kw, "cost": 0}

horizon = send("GET", f"/v1/markets/{market}")[1]["horizon"]
step_h = horizon["step_minutes"] / 60
fallback = {"fallback_kw": best_response([0] * horizon["steps"], step_h)["draw_kw"]}
state, last, joined = "open", 0, False
while state in ("draft", "open", "clearing"):
    joined = joined or send("PUT", f"/v1/markets/{market}/participants/{agent}", fallback)[0] in (200, 201)
    wait = 30 if joined else 1  # it is not open yet, or the agent joined before it was started anew
    status, round = send("GET", f"/v1/markets/{market}/round?after={last}&wait={wait}&agent={agent}")
    if status != 200:
        sys.exit(f"{agent}: {round['detail']}")
    state, last = round["state"], round["round"] or last
    if round["round"]:
        answers = [best_response(point["prices_per_mwh"], step_h) for point in round["points"]]
        send("PUT", f"/v1/markets/{market}/rounds/{last}/responses/{agent}", {"answers": answers})
print(agent, state, json.dumps(send("GET", f"/v1/markets/{market}/awards/{agent}")[1].get("draw_kw")))
sys.exit(state != "cleared")
