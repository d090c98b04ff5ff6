"""Split the rows into those to train on and those to test on. The data set comes with scikit-learn."""

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from global_common.step import outputs


def main():
    table = load_diabetes(as_frame=True).frame
    train, test = train_test_split(table, test_size=0.3, random_state=0)
    train.to_csv(outputs["train"] / "train.csv", index=False)
    test.to_csv(outputs["test"] / "test.csv", index=False)
    print(f"{len(train)} rows to train on, {len(test)} to test on")


if __name__ == "__main__":
    main()
