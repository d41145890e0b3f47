// The order in which the examples happen: two vendors, an operator, a market from draft to awards.
const ANSWERS = ["getHealth", "getReady", "getMetrics"];
const TEXTS = ["getOpenapi", "getDocs", "getDocsStyle", "getDocsScript"];
const ENERGY_KWH = 5;
const FORM = { body: { grant_type: "client_credentials" }, type: "application/x-www-form-urlencoded" };

// Of the steps the cheapest: all the energy goes there.
function respond({ prices_per_mwh: prices }) {
    const cheapest = prices.indexOf(Math.min(...prices));
    return { draw_kw: prices.map((_, step) => (step === cheapest ? ENERGY_KWH : 0)), cost: 0 };
}

async function getTokens({ play, tokens, clients }) {
    for (const client of Object.keys(clients)) {
        const own = { client_id: client, client_secret: clients[client].secret };
        const { text } = await play({
            operation: "createToken", example: client === "op" ? "form" : undefined,
            ...FORM, change: (form) => ({ ...form, ...own }), status: 200,
        });
        tokens[client] = JSON.parse(text).access_token;
    }
    await play({ operation: "createToken", example: "wrong", refused: true, status: 401 });
    await play({ operation: "createToken", example: "password", refused: true, status: 400 });
}

async function prepare({ play }) {
    const as = "op";

    await play({ operation: "putGrid", example: "inline", as, status: 201 });
    await play({ operation: "putGrid", example: "again", as, status: 200 });
    await play({ operation: "putGrid", example: "case", as, parameters: { grid: "two" }, status: 201 });
    await play({ operation: "listGrids", example: "example", as: "vendor-a", status: 200 });
    await play({ operation: "getGrid", example: "example", as: "eye", status: 200 });
    await play({ operation: "createAgent", example: "remote", as, status: 201 });
    await play({ operation: "createAgent", example: "delegated", as, status: 201 });
    await play({ operation: "changeAgent", example: "owner", as, status: 200 });
    await play({ operation: "getAgent", example: "example", as: "vendor-b", status: 200 });
    await play({ operation: "listAgents", example: "example", as: "vendor-b", status: 200 });
    await play({
        operation: "createAgent", as, body: { id: "home-9", bus: "street", kind: "remote" }, status: 201,
    });
    await play({ operation: "deleteAgent", as, parameters: { agent: "home-9" }, status: 204 });
    await play({ operation: "createMarket", example: "new", as, status: 201 });
    await play({ operation: "getMarket", example: "example", as: "eye", status: 200 });
    await play({ operation: "listMarkets", example: "example", as: "vendor-b", status: 200 });
    await play({ operation: "openMarket", example: "example", as, status: 200 });
}

async function join({ play }) {
    const as = "vendor-b";
    const parameters = { agent: "house-2" };

    await play({ operation: "joinMarket", example: "remote", as, status: 201 });
    await play({ operation: "joinMarket", example: "again", as, status: 200 });
    await play({ operation: "joinMarket", body: {}, as: "op", parameters, status: 201 });
    await play({ operation: "listParticipants", example: "example", as, status: 200 });
}

async function refuse({ play }) {
    const joinMarket = { operation: "joinMarket", as: "vendor-b", refused: true };

    await play({ ...joinMarket, problem: "BadRequest", body: "{\"id\": ", direct: true, status: 400 });
    await play({ ...joinMarket, problem: "Unprocessable", body: { fallback_kw: [1] }, status: 422 });
    await play({
        ...joinMarket, problem: "TooLarge", body: JSON.stringify("x".repeat(300000)), status: 413,
    });
    await play({ ...joinMarket, problem: "WrongType", body: "x", type: "text/plain", status: 415 });
    await play({ operation: "listGrids", problem: "Unauthorized", refused: true, status: 401 });
    await play({
        operation: "openMarket", problem: "Forbidden", as: "vendor-b", refused: true, status: 403,
    });
    await play({
        operation: "getAgent", problem: "NotFound", as: "vendor-a", refused: true, status: 404,
    });
}

async function clear({ play }) {
    const as = "vendor-b";
    const late = { operation: "joinMarket", body: { fallback_kw: 1 }, as };

    await play({ operation: "startMarket", example: "example", as: "op", status: 200 });
    await play({ operation: "getRound", example: "example", as, status: 200 });
    await play({ ...late, problem: "Conflict", refused: true, status: 409 });
    await play({ operation: "putResponse", example: "first", as, status: 201 });
    await play({ operation: "putResponse", example: "again", as, status: 200 });
    await play({ operation: "createResponses", example: "batch", as, status: 200 });
    for (let round = 1, state = "clearing"; state === "clearing";) {
        const { text } = await play({
            operation: "getRound", parameters: { after: round, wait: 30 }, as, status: 200,
        });
        const found = JSON.parse(text);

        ({ state } = found);
        if (found.round === null) continue;
        ({ round } = found);
        await play({
            operation: "putResponse", parameters: { round }, as,
            body: { answers: found.points.map(respond) }, status: 201,
        });
    }
}

async function tell({ play }) {
    const as = "vendor-b";

    for (const operation of ["listRounds", "listPrices", "getBinding", "getCertificate", "getAward"])
        await play({ operation, example: "example", as, status: 200 });
    await play({
        operation: "getEvents", example: "all", as, headers: { "Last-Event-ID": "0.0.0" }, status: 200,
    });
    await play({ operation: "getEvents", as, headers: { "Last-Event-ID": "3.2.0" }, status: 204 });
    await play({ operation: "getResult", example: "example", as: "eye", status: 200 });
}

async function cancel({ play }) {
    const horizon = { start: "2026-07-02T00:00:00+02:00", step_minutes: 60, steps: 2 };
    const body = { id: "day-2", grid: "feeder", horizon };

    await play({ operation: "createMarket", body, as: "op", status: 201 });
    await play({
        operation: "cancelMarket", example: "example", as: "op", parameters: { market: "day-2" }, status: 200,
    });
}

export async function story(stage) {
    for (const operation of ANSWERS) await stage.play({ operation, example: "example", status: 200 });
    for (const operation of TEXTS) await stage.play({ operation, status: 200 });
    await getTokens(stage);
    await prepare(stage);
    await join(stage);
    await refuse(stage);
    await clear(stage);
    await tell(stage);
    await cancel(stage);
    await stage.playStrangers();
}
