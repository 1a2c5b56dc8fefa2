// What a transport has heard last, and who hears of it. Pure: no page, no server, no kernel.

/**
 * Keep the newest event of each kind for whoever listens, also from later on.
 * @returns {{tell: function(Object), subscribe: function(function(Object)): function(), newest: Map, listeners: Set}}
 */
export function keepNews() {
  const listeners = new Set();
  const newest = new Map();
  return {
    listeners,
    newest,
    tell(event) {
      newest.set(event.kind, event);
      listeners.forEach((listener) => listener(event));
    },
    subscribe(listener) {
      listeners.add(listener);
      newest.forEach((event) => listener(event));
      return () => listeners.delete(listener);
    },
  };
}
