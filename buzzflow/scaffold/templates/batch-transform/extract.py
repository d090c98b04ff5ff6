"""Split the rows into labelled ones to train on and files of unlabelled ones. The data set comes with scikit-learn."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from global_common.step import outputs

FILE_ROWS = 60


def main():
    table = load_breast_cancer(as_frame=True).frame
    train, rest = train_test_split(table, test_size=0.5, random_state=0, stratify=table["target"])
    train.to_csv(outputs["train"] / "train.csv", index=False)
    unlabelled = rest.drop(columns="target")
    for number, start in enumerate(range(0, len(unlabelled), FILE_ROWS)):
        part = unlabelled.iloc[start : start + FILE_ROWS]
        part.to_csv(outputs["batches"] / f"part-{number:03}.csv", index=False)
    print(f"{len(train)} rows to train on, {len(unlabelled)} to score")


if __name__ == "__main__":
    main()
