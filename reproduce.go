package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/kernel"
	"elastography/kernel/pjrt"
	"elastography/plots/study"
	"elastography/sswe"
)

type reproduceCommand struct {
	Preset string `help:"paper (the study), workshop (smaller network) or smoke (shows that all parts run)." default:"paper" placeholder:"NAME"`
	Out    string `help:"Run folder." default:"runs/reproduce" type:"path"`
	Seed   uint64 `help:"Seed of cohort and training; 0 takes the preset's."`
	Cohort string `help:"Use this cohort folder instead of simulating one." type:"existingdir"`
}

func (c reproduceCommand) Help() string {
	return "Example: go run . reproduce --preset smoke --out runs/smoke\n\nStopped at any moment, the same command goes on from the last finished step and checkpoint."
}

func (c reproduceCommand) Run(ctx context.Context) error {
	config, recipe, err := c.plan()
	if err != nil {
		return err
	}
	run := sswe.Run{Dir: c.Out}
	unlock, err := lockRun(run.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := run.SaveConfig(config); err != nil {
		return err
	}
	root, err := kernel.FindRoot(".")
	if err != nil {
		return err
	}
	if c.Cohort != "" {
		if err := run.LinkCohort(c.Cohort); err != nil {
			return err
		}
	}
	r := reproduction{run: run, config: config, recipe: recipe, cohortDir: run.CohortDir(), root: root, clock: newClock(run.Dir)}
	r.simulates = r.cohortDir == filepath.Join(run.Dir, "cohort")
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"environment", r.environment}, {"cohort", r.cohort}, {"training", r.training}, {"evaluation", r.evaluation},
		{"figures", r.figures}, {"notebooks", r.notebooks}, {"report", r.report},
	}
	for i, s := range steps {
		fmt.Fprintf(os.Stderr, "[%d/%d] %s\n", i+1, len(steps), s.name)
		if err := r.clock.time(s.name, func() error { return s.do(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return r.summary()
}

// plan turns the flags into a configuration and a cohort recipe.
func (c reproduceCommand) plan() (sswe.Config, data.Recipe, error) {
	config, err := sswe.Named(c.Preset)
	if err != nil {
		return config, data.Recipe{}, err
	}
	if c.Seed != 0 {
		config.Seed = c.Seed
	}
	recipe := data.Study()
	recipe.Seed = config.Seed
	switch c.Preset {
	case "workshop":
		recipe.Patients, recipe.Test = 25, 5
	case "smoke":
		recipe.Patients, recipe.Test = 5, 2
	}
	return config, recipe, nil
}

// lockRun keeps a second process out of the run folder; the lock ends with the process, however it ends.
func lockRun(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make run folder: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock run folder %s: %w", dir, err)
	}
	if !held {
		return nil, fmt.Errorf("run folder %s is in use by another process; wait for it or choose another --out", dir)
	}
	return func() { _ = lock.Unlock() }, nil
}

// reproduction is one run of the whole study. Each step looks first whether an earlier process has done it.
type reproduction struct {
	run       sswe.Run
	config    sswe.Config
	recipe    data.Recipe
	cohortDir string
	simulates bool // the cohort is the run's own
	root      string
	clock     *clock

	env       *kernel.Env
	fit, test []*data.Sample
	origin    sswe.Origin

	study    *study.Study
	drawings []study.Drawing
}

func (r *reproduction) environment(ctx context.Context) (err error) {
	if r.env, err = kernel.Setup(ctx, r.root, os.Stderr); err != nil {
		return err
	}
	_, err = pjrt.Use(ctx)
	return err
}

func (r *reproduction) cohort(ctx context.Context) error {
	c, err := data.Open(r.cohortDir)
	if err != nil && r.simulates {
		c, err = simulate(ctx, r.cohortDir, r.recipe)
	}
	if err != nil {
		return err
	}
	r.fit, r.test, r.origin, err = loadSamples(ctx, c, r.config, false)
	return err
}

func (r *reproduction) training(ctx context.Context) error {
	return train(ctx, sswe.Trainer{Config: r.config, Dir: r.run.CheckpointDir(), Origin: r.origin}, r.run, r.fit)
}

func (r *reproduction) evaluation(context.Context) error {
	if newer(filepath.Join(r.run.Dir, "metrics.json"), filepath.Join(r.run.CheckpointDir(), sswe.ModelFile)) {
		return nil
	}
	return evaluate(r.run, r.config, r.fit, r.test)
}

func (r *reproduction) figures(context.Context) (err error) {
	if r.study, err = study.Open(r.run.Dir); err != nil {
		return err
	}
	if r.drawings, err = r.study.Drawings(); err != nil {
		return err
	}
	return r.study.Save(r.drawings)
}

func (r *reproduction) report(context.Context) error {
	return r.study.Report(r.drawings, r.cohortDir, r.clock.Order)
}

// studyNotebooks are executed by reproduce, in the order of the story; readsCohort tells which look at the planes.
var studyNotebooks = []struct {
	name        string
	readsCohort bool
}{{"01_data_preparation", true}, {"02_training", true}, {"03_histopathology_comparison", true}, {"04_error_plotting", false}}

func (r *reproduction) notebooks(ctx context.Context) error {
	runDir, err1 := filepath.Abs(r.run.Dir)
	cohortDir, err2 := filepath.Abs(r.cohortDir)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	dir := filepath.Join(runDir, "notebooks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, n := range studyNotebooks {
		params := map[string]string{"run": runDir}
		if n.readsCohort {
			params["cohort"] = cohortDir
		}
		if err := r.notebook(ctx, n.name, dir, params); err != nil {
			return err
		}
	}
	return nil
}

// notebook executes one notebook of the study into dir, unless that was done after the evaluation.
func (r *reproduction) notebook(ctx context.Context, name, dir string, params map[string]string) error {
	out := filepath.Join(dir, name+".ipynb")
	if newer(out, filepath.Join(r.run.Dir, "metrics.json")) {
		return nil
	}
	source := filepath.Join(r.root, "notebooks", name+".ipynb")
	report, err := r.env.RunNotebook(ctx, source, out, kernel.RunOptions{Params: params,
		CellTimeout: 10 * time.Minute, HTML: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "      %s: %d cells in %s\n", name, len(report.Cells), report.Duration.Round(time.Second))
	return nil
}

// newer tells whether file is there and was written after than.
func newer(file, than string) bool {
	a, err1 := os.Stat(file)
	b, err2 := os.Stat(than)
	return err1 == nil && err2 == nil && a.ModTime().After(b.ModTime())
}

func (r *reproduction) summary() error {
	m, err := r.run.Metrics()
	if err != nil {
		return err
	}
	fmt.Printf("\nOn %d planes of %d %s test patients (preset %s, seed %d):\n", m.NPlanes, m.NPatients, sourceOf(m), m.Preset, m.Seed)
	fmt.Printf("  sSWE against SWE    MAE %.2f kPa, 95 %% interval %.2f to %.2f\n", m.MAEKPa.Mean, m.MAEKPa.CI95[0], m.MAEKPa.CI95[1])
	best := m.Baselines[m.Best]
	fmt.Printf("  best trivial (%s)  MAE %.2f kPa, 95 %% interval %.2f to %.2f; skill %.2f\n", m.Best, best.MAEKPa, best.CI95[0], best.CI95[1], m.Skill)
	if m.AUC != nil {
		fmt.Printf("  tumour AUC          SWE %.2f (%.2f to %.2f), sSWE %.2f (%.2f to %.2f)\n", m.AUC.SWE.AUC, m.AUC.SWE.CI95[0], m.AUC.SWE.CI95[1],
			m.AUC.SSWE.AUC, m.AUC.SSWE.CI95[0], m.AUC.SSWE.CI95[1])
	}
	fmt.Printf("Report: %s (%s in this run)\n", filepath.Join(r.run.Dir, "report.html"), r.clock.total().Round(time.Second))
	return nil
}

// clock keeps how long each step took, over restarts, in timings.json: speed is no result, so it is kept apart.
type clock struct {
	path    string
	Order   []string           `json:"order"`
	Seconds map[string]float64 `json:"seconds"`
	began   time.Time
}

func newClock(dir string) *clock {
	c := &clock{path: filepath.Join(dir, "timings.json"), Seconds: map[string]float64{}, began: time.Now()}
	if b, err := os.ReadFile(c.path); err == nil {
		_ = json.Unmarshal(b, c) // an unreadable clock starts again
	}
	return c
}

func (c *clock) time(step string, do func() error) error {
	began := time.Now()
	err := do()
	c.Seconds[step] += time.Since(began).Seconds() // a step may take several processes
	if !slices.Contains(c.Order, step) {
		c.Order = append(c.Order, step)
	}
	b, _ := json.MarshalIndent(c, "", "  ")
	return errors.Join(err, renameio.WriteFile(c.path, append(b, '\n'), 0o644))
}

func (c *clock) total() time.Duration { return time.Since(c.began) }
