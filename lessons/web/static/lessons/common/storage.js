// What this browser remembers for the user. If it forbids a page to store anything, nothing is
// remembered, and nothing fails.

export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice lasts until the user leaves the page.
  }
}
