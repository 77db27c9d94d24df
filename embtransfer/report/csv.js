// cells as the csv that the command line wrote, byte for byte
const csv = (table) => {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return table.map((cells) => `${cells.map(cell).join(",")}\n`).join("");
};
