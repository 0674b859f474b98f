// Begins a lesson anew: the copy that the reader has changed gets another name, and the lesson of
// this site shows again. JupyterLite keeps what is changed in IndexedDB, under the file's path.

const lesson = new URLSearchParams(location.search).get("lesson") ?? "";
const say = (text) => {
  document.getElementById("answer").textContent = text;
};

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const openKept = async () => {
  const { "jupyter-config-data": config } = await (await fetch("jupyter-lite.json")).json();
  const name = config.contentsStorageName;
  const known = (await indexedDB.databases()).some((database) => database.name === name);
  return known ? done(indexedDB.open(name)) : null;
};

// Put the copy aside; returns its new name, or null where nothing was changed.
const putAside = async (path) => {
  const database = await openKept();
  if (!database) return null;
  try {
    const write = database.transaction("files", "readwrite").objectStore("files");
    const copy = await done(write.get(path));
    if (!copy) return null;
    const time = new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
    const name = `${lesson} (yours until ${time}).ipynb`;
    await done(write.put({ ...copy, name, path: `lessons/${name}` }, `lessons/${name}`));
    await done(write.delete(path));
    return name;
  } finally {
    database.close();
  }
};

const begin = async () => {
  if (!/^[\w-]+$/.test(lesson)) return say("This page needs the name of a lesson in its address.");
  const path = `lessons/${lesson}.ipynb`;
  const name = await putAside(path);
  say(name ? `Yours is kept beside it, as ${name}.` : "You had not changed it: it is as it was.");
  const link = document.getElementById("go");
  link.href = `lab/index.html?path=${encodeURIComponent(path)}`;
  link.hidden = false;
};

begin().catch((error) => say(`The lesson could not be laid afresh: ${error.message ?? error}`));
