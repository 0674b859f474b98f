"""axe-core judges parts of a page by the rules of WCAG 2.1, levels A and AA."""

import subprocess

AXE = "axe-core@4.14.1"
JUDGE = """async (include, leftOut) => {
    document.body.style.height = '100vh'; // JupyterLab's has none, and axe takes all for hidden
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
    const rules = Object.fromEntries(leftOut.map(id => [id, {enabled: false}]));
    const {violations, passes} = await axe.run({include}, {runOnly: tags, rules});
    const tell = ({html, any, all, none}) =>
        `${html.slice(0, 100)}: ${[...any, ...all, ...none].map(check => check.message)}`;
    return {
        violations: violations.flatMap(({id, nodes}) => nodes.map(node => `${id}: ${tell(node)}`)),
        legible: passes.find(({id}) => id === 'color-contrast')?.nodes.length ?? 0,
    };
}"""


def assert_accessible(parts, least, left_out=()):
    """In a locator's elements no rule is broken but those left out; `least` texts are legible."""
    found = parts.evaluate_all(JUDGE, list(left_out))
    assert found["violations"] == []
    assert found["legible"] >= least, f"{found['legible']} texts were judged"


def fetch_axe(folder):
    """Have npm fetch axe-core into `folder`; its one file. Raises SubprocessError."""
    command = ["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", AXE]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return folder / "node_modules" / "axe-core" / "axe.min.js"
