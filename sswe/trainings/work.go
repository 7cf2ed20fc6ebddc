package trainings

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gomlx/compute"

	"elastography/data"
	"elastography/data/archive"
	"elastography/sswe"
)

// Result is what a row's record says of its training; the run folder holds the rest.
type Result struct {
	Run        string        `json:"run"` // below Out
	Patients   int           `json:"test_patients"`
	Planes     int           `json:"test_planes"`
	MAEKPa     sswe.Interval `json:"mae_ci95_kpa"` // over patients
	MeanMAEKPa float64       `json:"mae_kpa"`      // over planes
	Best       string        `json:"best_baseline"`
	Skill      float64       `json:"skill"`
	Simulated  bool          `json:"simulated"` // tested or trained on simulated planes
}

// Unfinished is the folder of checkpoints under a state folder: a training that was killed goes on from there. Whoever has
// seen all rows done may remove it.
func Unfinished(state string) string { return filepath.Join(state, "unfinished") }

// Work is the training of one row. open is called once a process, at the first row that is not done yet; XLA takes all cores
// for one training, so a worker does one row at a time.
func Work(state string, open func(context.Context) (compute.Backend, error)) archive.Work {
	w := &worker{state: state, open: open, opening: make(chan struct{}, 1)}
	return archive.Work{Name: "train/1", Do: w.do}
}

type worker struct {
	state string
	open  func(context.Context) (compute.Backend, error)

	opening chan struct{} // held by whoever looks at or opens backend
	backend compute.Backend
}

func (w *worker) xla(ctx context.Context) (compute.Backend, error) {
	w.opening <- struct{}{}
	defer func() { <-w.opening }()
	if w.backend == nil {
		b, err := w.open(ctx)
		if err != nil {
			return nil, err
		}
		w.backend = b
	}
	return w.backend, nil
}

// do is train with a refusal that names the training: all rows of a list have the same first input.
func (w *worker) do(ctx context.Context, row archive.Row, out *archive.Outputs) (any, error) {
	result, err := w.train(ctx, row, out)
	if refusal, ok := errors.AsType[*archive.Refusal](err); ok {
		refusal.Reason = row.Key + ": " + refusal.Reason
	}
	return result, err
}

// train trains, tests and hands over a run folder.
func (w *worker) train(ctx context.Context, row archive.Row, out *archive.Outputs) (any, error) {
	var c sswe.Config
	if err := json.Unmarshal([]byte(row.Args[argConfig]), &c); err != nil {
		return nil, &archive.Refusal{Reason: fmt.Sprintf("its configuration is no JSON (%v)", err), Remedy: "plan the trainings again"}
	}
	if err := c.Validate(); err != nil {
		return nil, &archive.Refusal{Reason: err.Error(), Remedy: "correct the configuration"}
	}
	lesson, err := prepare(ctx, row, c)
	if errors.Is(err, data.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		return nil, &archive.Refusal{Reason: err.Error(), Remedy: "restore the cohort"}
	}
	if err != nil {
		return nil, err
	}
	backend, err := w.xla(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := w.folder(row)
	if err != nil {
		return nil, err
	}
	run := sswe.Run{Dir: dir}
	if err := run.SaveConfig(c); err != nil {
		return nil, err
	}
	trainer := sswe.Trainer{Backend: backend, Config: c, Dir: run.CheckpointDir(), Origin: lesson.origin}
	model, err := trainer.Fit(ctx, run, lesson.training)
	if errors.Is(err, sswe.ErrDiverged) {
		return nil, &archive.Refusal{Reason: err.Error(), Remedy: "plan it with a lower learning rate"}
	}
	if err != nil {
		return nil, err
	}
	defer model.Close()
	predictions, err := model.Predict(lesson.test)
	if err != nil {
		return nil, err
	}
	result, err := sswe.Evaluate(c, sswe.Evidence{Training: lesson.training, Test: lesson.test, Predictions: predictions,
		Simulated: lesson.origin.AnySimulated(), Foci: lesson.foci})
	if err != nil {
		return nil, err
	}
	result.Metrics.Weights = model.Weights()
	if err := run.SaveResult(result, lesson.test, predictions); err != nil {
		return nil, err
	}
	m := result.Metrics
	return Result{Run: row.Args[argRun], Patients: m.NPatients, Planes: m.NPlanes, MAEKPa: m.MAEKPa.CI95, MeanMAEKPa: m.MAEKPa.Mean,
		Best: m.Best, Skill: m.Skill, Simulated: m.Simulated}, hand(run, row.Args[argRun], out)
}

// folder is the row's own, for its checkpoints: of the same row on the same cohort in any process, and of no other.
func (w *worker) folder(row archive.Row) (string, error) {
	h := sha256.New()
	line, err := json.Marshal(row)
	if err != nil {
		return "", err
	}
	h.Write(line)
	for _, path := range row.Inputs {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%x", sha256.Sum256(b))
	}
	return filepath.Join(Unfinished(w.state), fmt.Sprintf("%s-%x", row.Key, h.Sum(nil)[:8])), nil
}

// hand copies the finished run into the outputs. It stays where it is until all rows are done: the record that would save
// another training from beginning anew is not written yet.
func hand(run sswe.Run, place string, out *archive.Outputs) error {
	var files []string
	err := filepath.WalkDir(run.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (filepath.Dir(path) != run.CheckpointDir() || d.Name() == sswe.ModelFile) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, path := range files {
		rel, err := filepath.Rel(run.Dir, path)
		if err != nil {
			return err
		}
		err = out.Write(place+"/"+filepath.ToSlash(rel), func(w io.Writer) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(w, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lesson is what one network learns from and what it is tested on.
type lesson struct {
	training, test []*data.Sample
	origin         sswe.Origin
	foci           []data.FocusRow
}

// prepare reads the cohort, on the network's grid, and splits it as the row asks.
func prepare(ctx context.Context, row archive.Row, c sswe.Config) (l lesson, err error) {
	if len(row.Inputs) == 0 {
		return l, errors.New("a training's row names no manifest; plan the trainings again")
	}
	cohort, err := data.Open(filepath.Dir(row.Inputs[0]))
	if err != nil {
		return l, err
	}
	l.foci = cohort.Foci
	load := func(split data.Split) (samples []*data.Sample, err error) {
		planes, _, err := cohort.Load(ctx, split, false)
		for _, p := range planes {
			samples = append(samples, p.Resample(c.Grid))
		}
		return samples, err
	}
	if l.training, err = load(data.Train); err != nil {
		return l, err
	}
	if l.test, err = load(data.Test); err != nil {
		return l, err
	}
	if row.Args[argFold] != "" {
		if l.training, l.test, err = fold(row, c, l); err != nil {
			return l, err
		}
	}
	l.origin = sswe.Origin{Organ: cohort.Rows[0].Organ, Simulated: cohort.Simulated(), Planes: len(l.training)}
	var patients []string
	for _, s := range l.training {
		patients = append(patients, s.Patient)
	}
	slices.Sort(patients)
	patients = slices.Compact(patients)
	l.origin.Patients = len(patients)
	for _, r := range cohort.Rows {
		if r.Organ != l.origin.Organ {
			return l, &archive.Refusal{Reason: fmt.Sprintf("the cohort shows %s and %s", l.origin.Organ, r.Organ), Remedy: "train one model for one organ"}
		}
		if slices.Contains(patients, r.Patient) && !slices.Contains(l.origin.Scanners, r.Scanner) {
			l.origin.Scanners = append(l.origin.Scanners, r.Scanner)
		}
	}
	return l, nil
}

// fold splits all patients, or those of the training split, as sswe.CrossValidation does.
func fold(row archive.Row, c sswe.Config, l lesson) (training, test []*data.Sample, err error) {
	k, err1 := strconv.Atoi(row.Args[argFold])
	n, err2 := strconv.Atoi(row.Args[argFolds])
	keep, err3 := strconv.ParseBool(cmp.Or(row.Args[argKeepTest], "false"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, nil, &archive.Refusal{Reason: err.Error(), Remedy: "plan the trainings again"}
	}
	samples := l.training
	if !keep {
		samples = slices.Concat(l.training, l.test)
	}
	folds, err := sswe.Folds(samples, n, c.Seed)
	if err != nil {
		return nil, nil, &archive.Refusal{Reason: err.Error(), Remedy: "ask for fewer folds"}
	}
	if k < 1 || k > n {
		return nil, nil, &archive.Refusal{Reason: fmt.Sprintf("fold %d of %d", k, n), Remedy: "plan the trainings again"}
	}
	for _, s := range samples {
		if slices.Contains(folds[k-1], s.Patient) {
			test = append(test, s)
		} else {
			training = append(training, s)
		}
	}
	return training, test, nil
}
