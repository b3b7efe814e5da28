"""Lightning, by both of its packages."""

import logging
import warnings

import lightning.pytorch
import pytest
import pytorch_lightning
import torch

from mltrack_jupyter import RunStatus

PACKAGES = (lightning.pytorch, pytorch_lightning)


def module(pl, error=None):
    class Line(pl.LightningModule):
        def __init__(self, rate=0.1):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, _):
            if error is not None and self.current_epoch == 1:
                raise error
            loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
            self.log("loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.rate)

    return Line()


def trainer(pl, folder, **options):
    logging.getLogger(pl.__name__).setLevel("ERROR")
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "accelerator": "cpu",
    }
    return pl.Trainer(max_epochs=3, default_root_dir=folder, **quiet, **options)


@pytest.fixture
def loader():
    x = torch.linspace(0, 1, 8).reshape(-1, 1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x), batch_size=4)


@pytest.fixture(autouse=True)
def hints_of_lightning_are_not_ours():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("pl", PACKAGES)
def test_a_training(script, runs, files, steps, loader, tmp_path, pl):
    script.lightning.autolog()
    stop = pl.callbacks.EarlyStopping("val_loss", patience=5)
    training = trainer(pl, tmp_path, callbacks=[stop])
    before = list(training.callbacks)
    model = module(pl)
    training.fit(model, loader, loader)
    assert training.callbacks == before
    [run] = runs()
    assert run.info.status is RunStatus.FINISHED
    params = run.data.params
    assert (params["optimizer_name"], params["lr"], params["epochs"]) == ("SGD", "0.1", "3")
    assert (params["rate"], params["monitor"], params["patience"]) == ("0.1", "val_loss", "5")
    assert steps(run, "loss") == [0, 1, 2]
    assert steps(run, "val_loss") == [0, 1, 2]
    assert run.data.metrics["loss"] == training.callback_metrics["loss"]
    assert run.data.metrics["val_loss"] == training.callback_metrics["val_loss"]
    assert run.data.metrics["stopped_epoch"] == 0
    assert run.data.tags["Mode"] == "training"
    assert set(files(run)) == {"model/model.ckpt", "model_summary.txt"}
    place = script.download_artifacts(run.info.run_id, "model/model.ckpt")
    weights = torch.load(place, weights_only=False)["state_dict"]
    assert torch.equal(weights["layer.weight"], model.layer.weight)


def test_metrics_of_steps_if_wanted(script, runs, steps, loader, tmp_path):
    script.lightning.autolog(log_every_n_step=2, log_every_n_epoch=2, log_models=False)
    pl = lightning.pytorch
    trainer(pl, tmp_path).fit(module(pl), loader, loader)
    [run] = runs()
    assert 0 in steps(run, "val_loss")
    assert 2 in steps(run, "val_loss")


@pytest.mark.parametrize(
    ("error", "raised", "status"),
    [
        (ValueError("no such luck"), ValueError, RunStatus.FAILED),
        (KeyboardInterrupt(), (KeyboardInterrupt, SystemExit), RunStatus.KILLED),
    ],
)
def test_a_training_that_breaks_off(script, runs, loader, tmp_path, error, raised, status):
    script.lightning.autolog()
    pl = lightning.pytorch
    with pytest.raises(raised):
        trainer(pl, tmp_path).fit(module(pl, error), loader)
    [run] = runs()
    assert run.info.status is status
    assert "loss" in run.data.metrics


def test_put_back(script):
    before = [vars(pl.Trainer)["fit"] for pl in PACKAGES]
    script.lightning.autolog()
    assert not any(vars(pl.Trainer)["fit"] in before for pl in PACKAGES)
    script.lightning.autolog(disable=True)
    assert [vars(pl.Trainer)["fit"] for pl in PACKAGES] == before
