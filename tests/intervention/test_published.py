from konkyo.intervention import published


def test_scoring_reproduces_published_amount_shares(study):
    """Figures 7 to 10 print 57/14/43, 50/0/0, 57/14/14 and 100/50/50 per cent."""
    table = published.published_accuracy(study.scoring).set_index("period")
    shares = (100 * table[["in_sample", "data_I", "data_II"]]).round().to_numpy().tolist()
    assert shares == [[57, 14, 43], [50, 0, 0], [57, 14, 14], [100, 50, 50]]
    assert table["interventions"].tolist() == [7, 2, 7, 2]


def test_the_published_table_is_whole():
    table = published.read_published()
    assert table.groupby("period", sort=False).size().to_list() == [15, 6, 13, 5]
    assert table["yes"].sum() == 18
    assert table.loc[table["month"] == "1995-09-30", "data_II"].item() == 15473
    assert (table["sign"] * table["actual"]).min() == -1  # 1992-12 alone, a buying period
