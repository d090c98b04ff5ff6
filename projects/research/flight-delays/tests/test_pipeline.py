"""What the pipeline promises, without running it."""


def test_the_model_is_tested_on_days_that_it_was_not_trained_on(pipeline):
    train, evaluate = pipeline.steps["train"], pipeline.steps["evaluate"]
    assert train.inputs["train"].source == "${step:extract.outputs.train}"
    assert evaluate.inputs["test"].source == "${step:extract.outputs.test}"
    assert evaluate.inputs["model"].source == "${step:train.model}"


def test_only_a_model_that_is_good_enough_is_published(pipeline):
    assert pipeline.steps["publish"].branch == ("good_enough", True)
    assert pipeline.steps["reject"].branch == ("good_enough", False)


def test_training_gets_a_larger_machine_and_more_time(pipeline):
    train, extract = pipeline.steps["train"], pipeline.steps["extract"]
    assert (train.instance.type, train.timeout) == ("ml.m5.xlarge", 1800)
    assert (extract.instance.type, extract.timeout) == ("ml.m5.large", 900)


def test_the_graph_is_the_one_that_was_reviewed(pipeline, golden):
    golden(pipeline.graph(), "pipeline.mmd")
