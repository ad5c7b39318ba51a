/* The sealed key file, kept in this browser when the officer asks for it; never the words, never what they open. */

const [DATABASE, TABLE, SLOT] = ["muniment-officer-key", "files", "own"];

function withTable(mode, act) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(TABLE, mode);
      const asked = act(transaction.objectStore(TABLE));
      transaction.oncomplete = () => {
        database.close();
        done(asked.result);
      };
      transaction.onabort = () => failed(transaction.error);
    };
  });
}

/** Return the text of the key file kept here, or undefined; a browser that keeps nothing keeps none. */
export const keptKey = () => withTable("readonly", (table) => table.get(SLOT)).catch(() => undefined);
export const keepKey = (text) => withTable("readwrite", (table) => table.put(text, SLOT));
export const forgetKey = () => withTable("readwrite", (table) => table.delete(SLOT));
