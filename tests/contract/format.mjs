// JSON as people read it: what fits on a line stands on one.
const WIDTH = 100;

function inline(value) {
    if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const pairs = Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}: ${inline(of)}`);
    return `{${pairs.join(", ")}}`;
}

export function format(value, indent = 0, before = 0) {
    const line = inline(value);
    const pad = "  ".repeat(indent + 1);

    if (value === null || typeof value !== "object" || 2 * indent + before + line.length < WIDTH)
        return line;
    if (Array.isArray(value)) {
        const items = value.map((of) => pad + format(of, indent + 1));
        return `[\n${items.join(",\n")}\n${"  ".repeat(indent)}]`;
    }
    const pairs = Object.entries(value).map(([key, of]) => {
        const name = `${JSON.stringify(key)}: `;
        return pad + name + format(of, indent + 1, name.length);
    });
    return `{\n${pairs.join(",\n")}\n${"  ".repeat(indent)}}`;
}
