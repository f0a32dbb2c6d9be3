import pytest

from konkyo.intervention import published, scoring


@pytest.mark.parametrize("period", list(published.AMOUNT_SHARES))
def test_the_projects_scoring_reproduces_the_published_amount_shares(period, study):
    own = published.read().query("period == @period")
    found = [
        scoring.amount_share(own["actual"], own[name], own["yes"], study.scoring)
        for name in ("in_sample", "data_I", "data_II")
    ]
    assert found == pytest.approx(published.AMOUNT_SHARES[period])


def test_the_published_table_is_whole():
    table = published.read()
    assert table.groupby("period", sort=False).size().to_list() == [15, 6, 13, 5]
    assert table["yes"].sum() == 18
    assert table.loc[table["month"] == "1995-09-30", "data_II"].item() == 15473
    assert (table["sign"] * table["actual"]).min() == -1  # 1992-12 alone, a buying period
