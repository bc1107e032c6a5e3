// Loads what most visits do without; while the server starts anew it tries again.

const PAUSES = [150, 300, 600, 1200, 2000, 2000, 2000]; // milliseconds

// `load` is a function that imports, so that the module's name stands where it is wanted.
export async function late(load) {
  for (const pause of PAUSES) {
    try {
      return await load();
    } catch {
      await new Promise((wake) => setTimeout(wake, pause));
    }
  }
  return load();
}
