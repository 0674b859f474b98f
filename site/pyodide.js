// What the kernel takes for Pyodide. It loads Pyodide itself from where packages.json says, and adds
// the wheels of this site to the packages that Pyodide can load when a cell imports them.

self.loadPyodide = async ({ indexURL: site, packages, ...options }) => {
  const read = async (url) => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} cannot be loaded (${response.status})`);
    return response.json();
  };
  const own = await read(new URL("packages.json", site));
  const indexURL = new URL(own.pyodide, site).href;
  const lock = await read(new URL("pyodide-lock.json", indexURL));
  for (const [name, entry] of Object.entries(own.packages)) {
    lock.packages[name] = { ...entry, file_name: new URL(entry.file_name, site).href };
  }
  // The first cell of every lesson needs these. They arrive while the kernel starts, one after the
  // other, because a browser opens few connections to one host.
  const ahead = async () => {
    for (const name of own.ahead) {
      const url = new URL(lock.packages[name].file_name, indexURL);
      await (await fetch(url, { priority: "low" })).arrayBuffer();
    }
  };
  ahead().catch(() => {}); // Pyodide asks again, and tells
  importScripts(new URL("pyodide.js", indexURL).href); // replaces this function
  const pyodide = await self.loadPyodide({
    ...options,
    indexURL,
    lockFileURL: URL.createObjectURL(new Blob([JSON.stringify(lock)])),
    packages: packages.filter((name) => !own.omitted.includes(name)),
  });
  // IPython puts the learner's folder before the packages: each import of a module would ask the page
  // for it first, a tenth of a second every time.
  pyodide.runPython("import sys, pyodide_kernel\nsys.path.sort(key=lambda path: path == '')");
  return pyodide;
};
