// The style of what was not there when the page was loaded; resolves once it is in force.

const styles = new Map(); // path → promise

export function style(path) {
  if (!styles.has(path)) styles.set(path, load(path));
  return styles.get(path);
}

function load(path) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(path, import.meta.url);
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}
