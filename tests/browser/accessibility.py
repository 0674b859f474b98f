"""axe-core judges a page by the rules of WCAG 2.1, levels A and AA."""

AXE = "axe-core@4.14.1"
JUDGE = """async (root) => {
    document.body.style.height = '100vh'; // JupyterLab's has none, and axe takes all for hidden
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
    const {violations, passes} = await axe.run(root, {runOnly: tags});
    const tell = ({html, any, all, none}) =>
        `${html.slice(0, 100)}: ${[...any, ...all, ...none].map(check => check.message)}`;
    return {
        violations: violations.flatMap(({id, nodes}) => nodes.map(node => `${id}: ${tell(node)}`)),
        legible: passes.find(({id}) => id === 'color-contrast')?.nodes.length ?? 0,
    };
}"""


def assert_accessible(root, least):
    """In an element no rule is broken; at least so many texts were found, and are legible."""
    found = root.evaluate(JUDGE)
    assert found["violations"] == []
    assert found["legible"] >= least, "texts were not judged"
