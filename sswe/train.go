package sswe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"elastography/data"
)

// Epoch is one row of the training history.
type Epoch struct {
	Epoch        int     `json:"epoch"` // from 1
	Step         int     `json:"step"`  // steps done when it ended
	TrainMAEKPa  float64 `json:"train_mae_kpa"`
	ValMAEKPa    float64 `json:"val_mae_kpa"` // -1 where there is no validation patient
	LearningRate float64 `json:"learning_rate"`
	ImagesPerSec float64 `json:"-"` // speed is no result: it is shown, not stored
}

// progress is how far a training has come. It is stored with the weights, so that a resumed training equals an
// undisturbed one bit for bit.
type progress struct {
	Step      int     `json:"step"`
	EpochLoss float64 `json:"epoch_loss"` // sum over the steps of the epoch under way
	Averaged  int     `json:"averaged"`   // epochs in the weight average
	History   []Epoch `json:"history"`
}

// ErrDiverged marks a training whose loss is no number any more: its settings are at fault, not the machine.
var ErrDiverged = errors.New("the training diverged")

// Trainer fits a model to the training planes of a cohort. Its zero value with Backend, Config and Dir set is ready.
type Trainer struct {
	Backend compute.Backend
	Config  Config
	Dir     string // checkpoint folder
	Origin  Origin
	Devices int // of the backend, that share each batch; 0 and 1: one. Checkpoints know nothing of it
	// Start is a finished model (a run's folder, its checkpoint folder or a model file) of the same network, whose weights
	// the training begins with: fine-tuning. The optimiser and its learning rate start afresh. "" begins with random weights.
	Start string

	OnStep  func(step, steps int, lossKPa float64) // called after each step; may be nil
	OnEpoch func(Epoch)                            // called after each epoch; may be nil
}

// Train fits the model and leaves model.npz in the checkpoint folder. Cancelling ctx saves a checkpoint and returns
// ctx's error; calling Train again goes on from the last checkpoint and reaches the very same weights.
func (t *Trainer) Train(ctx context.Context, samples []*data.Sample) (*Model, []Epoch, error) {
	if err := t.Config.Validate(); err != nil {
		return nil, nil, err
	}
	fit, held := t.split(samples)
	if len(fit) == 0 {
		return nil, nil, errors.New("train: no plane is left to train on; lower training.validation_share or add patients")
	}
	if err := checkSamples(samples, t.Config.Grid); err != nil {
		return nil, nil, fmt.Errorf("train: %w", err)
	}
	if patients := patientNames(fit); len(patients) < 2 {
		return nil, nil, fmt.Errorf("train: only patient %s is left to train on, so that nothing tells what is usual in another; add patients or lower training.validation_share (%v)",
			patients[0], t.Config.Training.ValidationShare)
	}
	m, average, p, err := t.start(fit)
	if err != nil {
		return nil, nil, err
	}
	m.Origin.Seen = nil
	for _, s := range samples {
		m.Origin.Seen = append(m.Origin.Seen, fingerprint(s))
	}
	run, err := newFit(t, m, fit)
	if err != nil {
		return nil, nil, err
	}
	defer run.close()
	run.average = average
	if err := t.loop(ctx, run, p, held); err != nil {
		return nil, nil, err
	}
	return m, p.History, t.finish(run, held, *p)
}

// Fit trains the model, or loads it trained, and leaves its history in the run.
func (t *Trainer) Fit(ctx context.Context, run Run, samples []*data.Sample) (*Model, error) {
	if history, finished := t.Finished(); finished {
		m, err := Load(t.Backend, t.Dir)
		if err != nil {
			return nil, err
		}
		return m, run.SaveHistory(history)
	}
	m, history, err := t.Train(ctx, samples)
	if err != nil {
		return nil, err
	}
	return m, run.SaveHistory(history)
}

// split takes the validation patients from the training patients, by patient and by the seed.
func (t *Trainer) split(samples []*data.Sample) (fit, held []*data.Sample) {
	patients := patientNames(samples)
	n := int(math.Round(t.Config.Training.ValidationShare * float64(len(patients))))
	order := stream(t.Config.Seed, "validation patients").Perm(len(patients))
	for _, s := range samples {
		if slices.Contains(order[:n], slices.Index(patients, s.Patient)) {
			held = append(held, s)
		} else {
			fit = append(fit, s)
		}
	}
	return fit, held
}

// start loads the last checkpoint, the model to fine-tune, or makes a new model.
func (t *Trainer) start(fit []*data.Sample) (*Model, *weightAverage, *progress, error) {
	origin, err := t.origin()
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := readCheckpoint(filepath.Join(t.Dir, lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		var m *Model
		if t.Start != "" {
			m, err = t.startingModel()
		} else {
			m, err = newModel(t.Backend, t.Config, nil, medianKPa(fit))
		}
		if err != nil {
			return nil, nil, nil, err
		}
		m.Origin = origin
		return m, &weightAverage{mean: map[string][]float32{}}, &progress{}, nil
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("resume training: %w; delete the folder %s to train from the start", err, t.Dir)
	}
	if c.meta.Config != t.Config {
		return nil, nil, nil, fmt.Errorf("resume training: the checkpoint in %s was made with another configuration (preset %q, seed %d, network %+v); "+
			"use that configuration or another output folder", t.Dir, c.meta.Config.Preset, c.meta.Config.Seed, c.meta.Config.Network)
	}
	if c.meta.Origin.startedFrom() != origin.startedFrom() {
		return nil, nil, nil, fmt.Errorf("resume training: the one in %s began with other weights than now asked for; start it as before or use another output folder", t.Dir)
	}
	m, err := newModel(t.Backend, t.Config, c, 0)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("resume training from %s: %w", c.path, err)
	}
	if err := c.complete(m); err != nil {
		return nil, nil, nil, err
	}
	m.Origin = origin
	average, err := averageOf(c, c.meta.Progress.Averaged)
	return m, average, &c.meta.Progress, err
}

// loop takes the training steps that are left.
func (t *Trainer) loop(ctx context.Context, f *fit, p *progress, held []*data.Sample) error {
	c := t.Config.Training
	perEpoch := f.stepsPerEpoch()
	steps := c.Epochs * perEpoch
	first, began, saved := p.Step, time.Now(), time.Now()
	for p.Step < steps {
		if ctx.Err() != nil {
			if err := f.model.write(filepath.Join(t.Dir, lastFile), *p, f.average); err != nil {
				return errors.Join(context.Cause(ctx), err)
			}
			return fmt.Errorf("training stopped at step %d of %d, the checkpoint is saved: %w", p.Step, steps, context.Cause(ctx))
		}
		rate := c.rate(p.Step, steps)
		loss, err := f.step(p.Step, rate)
		if err != nil {
			return fmt.Errorf("training step %d: %w", p.Step, err)
		}
		lossKPa := loss * t.Config.RangeKPa
		if math.IsNaN(lossKPa) || math.IsInf(lossKPa, 0) {
			return fmt.Errorf("training step %d: %w: the loss is %v; the last good checkpoint is kept in %s; lower training.learning_rate (%v) and resume",
				p.Step, ErrDiverged, loss, t.Dir, c.LearningRate)
		}
		p.Step++
		p.EpochLoss += lossKPa
		if t.OnStep != nil {
			t.OnStep(p.Step, steps, lossKPa)
		}
		if p.Step%perEpoch == 0 {
			perSecond := float64((p.Step-first)*c.BatchSize) / time.Since(began).Seconds()
			if err := t.endEpoch(f, p, held, rate, perSecond); err != nil {
				return err
			}
		}
		if time.Since(saved) > time.Duration(c.CheckpointPeriod)*time.Second || p.Step == steps {
			if err := f.model.write(filepath.Join(t.Dir, lastFile), *p, f.average); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	return nil
}

// rate falls from LearningRate to FinalRate along half a cosine.
func (t Training) rate(step, steps int) float64 {
	return t.FinalRate + (t.LearningRate-t.FinalRate)*(1+math.Cos(math.Pi*float64(step)/float64(steps)))/2
}

// endEpoch validates, averages the weights of the last epochs and appends to the history.
func (t *Trainer) endEpoch(f *fit, p *progress, held []*data.Sample, rate, imagesPerSec float64) error {
	perEpoch := f.stepsPerEpoch()
	e := Epoch{Epoch: p.Step / perEpoch, Step: p.Step, TrainMAEKPa: p.EpochLoss / float64(perEpoch), ValMAEKPa: -1,
		LearningRate: rate, ImagesPerSec: imagesPerSec}
	p.EpochLoss = 0
	if len(held) > 0 {
		predictions, err := f.model.Predict(held)
		if err != nil {
			return fmt.Errorf("validate epoch %d: %w", e.Epoch, err)
		}
		e.ValMAEKPa = MeanAbsoluteError(held, predictions)
	}
	p.History = append(p.History, e)
	c := t.Config.Training
	if float64(e.Epoch) > (1-c.AveragedShare)*float64(c.Epochs) {
		if err := f.average.add(f.model); err != nil {
			return fmt.Errorf("epoch %d: %w", e.Epoch, err)
		}
		p.Averaged = f.average.epochs
	}
	if t.OnEpoch != nil {
		t.OnEpoch(e)
	}
	return nil
}

// finish turns the averaged weights into the finished model: exact batch-norm statistics over the training planes, the
// domain's statistics, model.npz.
func (t *Trainer) finish(f *fit, held []*data.Sample, p progress) error {
	if err := f.average.give(f.model); err != nil {
		return fmt.Errorf("finish training: %w", err)
	}
	if err := f.model.exactAverages(f.samples); err != nil {
		return fmt.Errorf("finish training: %w", err)
	}
	seen := slices.Concat(f.samples, held)
	predictions, err := f.model.features(seen)
	if err != nil {
		return err
	}
	f.model.Domain = newDomain(seen, predictions)
	return f.model.save(filepath.Join(t.Dir, ModelFile), progress{History: p.History})
}

// Finished tells whether the checkpoint folder holds a finished model of this configuration and start, and its history.
func (t *Trainer) Finished() ([]Epoch, bool) {
	c, err := readCheckpoint(filepath.Join(t.Dir, ModelFile))
	if err != nil || c.meta.Config != t.Config {
		return nil, false
	}
	if origin, err := t.origin(); err != nil || c.meta.Origin.startedFrom() != origin.startedFrom() {
		return nil, false
	}
	return c.meta.Progress.History, true
}

// Reset deletes what an earlier training left.
func (t *Trainer) Reset() error {
	for _, name := range []string{lastFile, ModelFile} {
		if err := os.Remove(filepath.Join(t.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("reset training: %w", err)
		}
	}
	return nil
}
