# One table of bench/RESULTS.md: awk -v steps=T -v kind=seconds|memory|answers, from peers.tsv.
BEGIN {
    n_peer = split("walras walras-1 clp-barrier clp-dual highs-ds highs-ipm glpk", peer, " ")
    split("Walras|Walras, one thread|CLP barrier|CLP dual simplex|HiGHS dual simplex|" \
          "HiGHS interior point|GLPK", name, "|")
}

NR > 1 && $2 == steps {
    if (!($1 in seen)) {
        seen[$1] = 1
        size[++n_size] = $1
    }
    outcome[$1, $3] = $4
    wall[$1, $3] = $5
    solve[$1, $3] = $6
    peak[$1, $3] = $8
    objective[$1, $3] = $9
    bound[$1, $3] = $10
    note[$1, $3] = $11
}

function solved(n, p) {
    return outcome[n, p] == "solved"
}

function short(x) {
    return x == "" ? "" : x < 9.995 ? sprintf("%.2f", x) : x < 99.95 ? sprintf("%.1f", x) : sprintf("%.0f", x)
}

function cell(n, p) {
    if (!((n, p) in outcome))
        return ""
    if (outcome[n, p] == "skipped")
        return "-"
    if (kind == "memory")
        return outcome[n, p] == "memory" ? "memory" : sprintf("%.0f", peak[n, p])
    if (outcome[n, p] == "time")
        return "> " short(wall[n, p])
    if (!solved(n, p))
        return outcome[n, p]
    return short(wall[n, p]) (solve[n, p] == "" ? "" : " (" short(solve[n, p]) ")")
}

function line(n_cell,    i, text) {
    text = "|"
    for (i = 1; i <= n_cell; i++)
        text = text " " put[i] " |"
    print text
}

function rule(n_cell,    i, text) {
    text = "|"
    for (i = 1; i <= n_cell; i++)
        text = text "---|"
    print text
}

# The least solve seconds among the peers; its name in fastest.
function best(n,    i, p, least) {
    least = -1
    fastest = ""
    for (i = 3; i <= n_peer; i++) {
        p = peer[i]
        if (solved(n, p) && solve[n, p] != "" && (least < 0 || solve[n, p] + 0 < least)) {
            least = solve[n, p] + 0
            fastest = name[i]
            optimum = objective[n, p]
            whole = wall[n, p]
        }
    }
    return least
}

function grid_table(    i, k) {
    put[1] = "devices"
    for (i = 1; i <= n_peer; i++)
        put[i + 1] = name[i]
    line(n_peer + 1)
    rule(n_peer + 1)
    for (k = 1; k <= n_size; k++) {
        put[1] = size[k]
        for (i = 1; i <= n_peer; i++)
            put[i + 1] = cell(size[k], peer[i])
        line(n_peer + 1)
    }
}

function answer_table(    k, n, least, above) {
    split("devices|program|Walras' cost|certified gap|optimum found|plan above optimum|" \
          "fastest peer|times Walras, without reading|with reading", put, "|")
    line(9)
    rule(9)
    for (k = 1; k <= n_size; k++) {
        n = size[k]
        least = best(n)
        put[1] = n
        put[2] = note[n, "export"]
        put[3] = objective[n, "walras"] == "" ? "" : sprintf("%.4f", objective[n, "walras"])
        put[4] = objective[n, "walras"] == "" ? "" : \
            sprintf("%.1e", (objective[n, "walras"] - bound[n, "walras"]) / objective[n, "walras"])
        put[5] = put[6] = put[7] = put[8] = put[9] = ""
        if (least >= 0) {
            put[5] = sprintf("%.4f", optimum)
            put[7] = fastest
        } else if ((n, "clp-barrier") in outcome)
            put[7] = "none finishes"
        if (least >= 0 && solved(n, "walras")) {
            above = (objective[n, "walras"] - optimum) / optimum
            put[6] = sprintf("%.1e", above)
            # peers' default tolerances are 1e-7: their optimum is known no better
            if (above < -1e-6 || (bound[n, "walras"] - optimum) / optimum > 1e-6)
                put[6] = put[6] " **does not agree**"
            put[8] = short(least / wall[n, "walras"])
            put[9] = short(whole / wall[n, "walras"])
        }
        line(9)
    }
}

END {
    if (kind == "answers")
        answer_table()
    else
        grid_table()
}
