// What this browser, or this tab of it, remembers for the user. If the browser forbids a page to store
// anything, nothing is remembered, and nothing fails.

const storage = (kind) => (kind === "tab" ? sessionStorage : localStorage);

export function stored(key, kind) {
  try {
    return storage(kind).getItem(key);
  } catch {
    return null;
  }
}

// An empty value forgets the key.
export function store(key, value, kind) {
  try {
    if (value) storage(kind).setItem(key, value);
    else storage(kind).removeItem(key);
  } catch {
    // The choice lasts until the user leaves the page.
  }
}
