"""What the connections to the service are called."""

from tests.unit.attributes.messages import cluster_of


def test_a_tag_stands_in_the_name() -> None:
    assert cluster_of().name.startswith("cluster_10_0_0_1_80_")
    assert cluster_of(cluster_tag="Blue!").name.startswith("cluster_blue_10_0_0_1_80_")


def test_an_empty_tag_is_none_to_read() -> None:
    assert cluster_of(cluster_tag="").name.startswith("cluster_10_0_0_1_80_")


def test_statistics_have_a_name_of_their_own() -> None:
    assert cluster_of().alt_stat_name == ""
    assert cluster_of(stats_name="my_model").alt_stat_name == "my_model"
