"""Lesson 03: what one pooled pixel sees, and how im2col makes a matrix product of a convolution."""

from course.diagrams.base import SMALL, Diagram


def receptive_field(kernel=3, pool=2, side=8):
    """The pixels that one pooled pixel depends on, through a convolution and a max-pooling.

    side: height and width of the image; the convolution has no padding here and a stride of 1.
    """
    answers = side - kernel + 1
    pooled = answers // pool
    seen = pool + kernel - 1
    middle = pooled // 2  # the pooled pixel that is framed
    diagram = Diagram(
        700,
        260,
        f"One pooled pixel depends on {seen} by {seen} pixels of the image: pooling takes the "
        f"largest of {pool} by {pool} answers of the convolution, and the {kernel} by {kernel} "
        "kernels of neighboring answers overlap.",
    )
    cell, places, right = 22, [], [110, 370, 600]
    for x, count, extent in zip(right, (side, answers, pooled), (seen, pool, 1), strict=True):
        corner = middle * (pool if count > pooled else 1)
        shown = [
            [
                int(corner <= r < corner + extent and corner <= c < corner + extent) / 2
                for c in range(count)
            ]
            for r in range(count)
        ]
        window = (corner, corner), (extent, extent)
        places.append(diagram.grid(x, 115, shown, cell, role="forward", window=window))
    names = (
        f"image {side} × {side}",
        f"convolution {answers} × {answers}",
        f"pooled {pooled} × {pooled}",
    )
    remarks = (f"{seen} × {seen} pixels", f"{pool} × {pool} answers", "1 number")
    for place, name, remark in zip(places, names, remarks, strict=True):
        diagram.text(place.x, 222, name)
        diagram.text(place.x, 242, remark, "focus", SMALL + 1)
    for start, end, step in zip(
        places, places[1:], (f"{kernel} × {kernel}", f"max {pool} × {pool}"), strict=False
    ):
        diagram.arrow(start, end, step)
    return diagram


def im2col(side=4, kernel=3):
    """Every window of an image laid out as a row: the convolution is then one matrix product."""
    places = side - kernel + 1
    corners = [(r, c) for r in range(places) for c in range(places)]
    rows = [
        [str((r + i) * side + c + j) for i in range(kernel) for j in range(kernel)]
        for r, c in corners
    ]
    image = [[str(r * side + c) for c in range(side)] for r in range(side)]
    taps = kernel * kernel
    diagram = Diagram(
        720,
        280,
        f"The layout of im2col: each of the {len(rows)} windows of {kernel} by {kernel} pixels "
        f"of a {side} by {side} image becomes one row of a matrix ({len(rows)}, {taps}); "
        f"times the kernel as a column ({taps}, 1) it gives the {len(rows)} answers. Neighboring "
        "windows overlap, so pixels occur in several rows.",
    )
    cell = 24
    frame = (0, 0), (kernel, kernel)
    picture = diagram.grid(75, 120, image, cell, window=frame)
    matrix = diagram.grid(345, 120, rows, cell, window=((0, 0), (1, taps)))
    column = [[f"w_{{{i}}}"] for i in range(taps)]
    weights = diagram.grid(535, 120, column, cell, role="weight")
    answers = diagram.grid(
        655,
        120,
        [[f"y_{{{i}}}"] for i in range(len(rows))],
        cell,
        role="forward",
        window=((0, 0), (1, 1)),
    )
    above = matrix.top[1] - 5
    diagram.brace((matrix.left[0], above), (matrix.right[0], above), "the framed window")
    diagram.arrow(picture, matrix, "unroll")
    diagram.text((matrix.right[0] + weights.left[0]) / 2, 120, "@")
    diagram.text((weights.right[0] + answers.left[0]) / 2, 120, "+ b =")
    for place, name, shape in [
        (picture, "image", (side, side)),
        (matrix, "windows as rows", (len(rows), taps)),
        (weights, "kernel", (taps, 1)),
        (answers, "answers", (len(rows), 1)),
    ]:
        diagram.text(place.x, 248, name, size=SMALL + 1)
        diagram.shape(place.x, 266, shape)
    return diagram
