"""The full MNIST in $COURSE_DATA_DIR: its hashes, and what data/README.md says of the sample."""

from course import mnist


def test_full_mnist_is_verified():
    assert [row.dataset for row in mnist.status()] == ["full MNIST"] * 4
    digits = mnist.load()
    assert digits.is_full
    assert repr(digits) == "full MNIST: 60,000 training and 10,000 test digits"


def test_sample_is_the_first_500_of_each_class_of_the_training_set_and_none_of_the_test_set():
    full, sample = mnist.load(), mnist.load(mnist.CLONE_DATA / "sample")
    trained, tested = (
        {image.tobytes() for image in x} for x in (full.train_images, full.test_images)
    )
    assert len(trained) == 60_000 and len(tested) == 10_000 and not trained & tested
    for label in range(10):
        in_sample = [
            *sample.train_images[sample.train_labels == label],
            *sample.test_images[sample.test_labels == label],
        ]
        first = full.train_images[full.train_labels == label][:500]
        assert [image.tobytes() for image in in_sample] == [image.tobytes() for image in first]
        assert not tested & {image.tobytes() for image in in_sample}
