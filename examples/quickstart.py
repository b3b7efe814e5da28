"""The work of quickstart.ipynb as a plain script: a hundred trees, compared, registered, loaded back.

Run it anywhere: ``python examples/quickstart.py``. The runs go to the nearest ``.mltrack`` folder, or
to whatever MLTRACK_TRACKING_URI names.
"""

from sklearn.datasets import load_iris
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import mltrack_jupyter as mltrack


def main() -> None:
    mltrack.set_experiment("iris-trees")
    X, y = load_iris(return_X_y=True, as_frame=True)  # noqa: N806
    X_train, X_test, y_train, y_test = train_test_split(  # noqa: N806
        X, y, test_size=0.5, random_state=2, stratify=y
    )
    for max_leaf_nodes in range(2, 12):
        for max_depth in range(1, 11):
            with mltrack.start_run(run_name=f"leaves-{max_leaf_nodes}-depth-{max_depth}"):
                tree = DecisionTreeClassifier(
                    max_leaf_nodes=max_leaf_nodes, max_depth=max_depth, random_state=0
                ).fit(X_train, y_train)
                predicted = tree.predict(X_test)
                mltrack.log_params({"max_leaf_nodes": max_leaf_nodes, "max_depth": max_depth})
                mltrack.log_metric("accuracy", tree.score(X_test, y_test))
                mltrack.log_metric("f1", f1_score(y_test, predicted, average="macro"))
                mltrack.log_model(tree, "model")

    four = mltrack.search_runs(
        filter_string="params.max_leaf_nodes = '4'", order_by=["metrics.accuracy ASC"]
    )
    print(four[["params.max_depth", "metrics.accuracy"]].to_string(index=False))

    runs = mltrack.search_runs()
    best_accuracy = runs["metrics.accuracy"].max()
    winners = runs[runs["metrics.accuracy"] == best_accuracy]
    size = winners[["params.max_leaf_nodes", "params.max_depth"]].astype(int)
    best = winners.loc[size.sort_values(["params.max_leaf_nodes", "params.max_depth"]).index[0]]
    version = mltrack.register_model(
        f"runs:/{best.run_id}/model", "iris-tree", alias="champion", stage="Production"
    )
    print(f"iris-tree version {version.version}: accuracy {best_accuracy:.4f}, run {best.run_id}")

    champion = mltrack.load_model("models:/iris-tree@champion")
    again = champion.score(X_test, y_test)
    assert again == best_accuracy, (again, best_accuracy)
    print(f"predicted {len(X_test)} held-out rows with accuracy {again:.4f}, as it was logged")


if __name__ == "__main__":
    main()
