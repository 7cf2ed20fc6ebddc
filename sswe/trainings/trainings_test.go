package trainings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/google/go-cmp/cmp"

	"elastography/data"
	"elastography/data/archive"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

// open opens XLA once for all tests: workers of one process would share it.
var shared compute.Backend

func open(ctx context.Context) (compute.Backend, error) {
	if shared != nil {
		return shared, nil
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return nil, err
	}
	b, err := sswe.OpenBackend()
	shared = b
	return b, err
}

// tiny trains in a second.
func tiny() sswe.Config {
	c := sswe.Smoke()
	c.Grid = data.Grid{Height: 16, Width: 24, MMPerPx: 2.8}
	c.Network.Levels, c.Network.BaseChannels = 1, 4
	c.Training.Epochs, c.Training.ValidationShare, c.Evaluation.BootstrapSamples = 2, 0, 20
	return c
}

// smallCohort is six patients' drawn planes in a folder, marked as simulated; the last two are for testing.
func smallCohort(t *testing.T) string {
	t.Helper()
	const h, w = 48, 72
	var planes []*data.Plane
	for k := range 6 {
		p := &data.Plane{Patient: fmt.Sprintf("p%03d", k), Name: "mid", Organ: "prostate", Scanner: "drawn", Source: data.Simulated, MMPerPx: 1, ScaleMaxKPa: 70,
			Height: h, Width: w, BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w), Saturated: make([]bool, h*w), Confidence: make([]float32, h*w)}
		for i := range p.BMode {
			wave := math.Sin(float64(i%w)/7+float64(k)) * math.Cos(float64(i/w)/5)
			p.BMode[i], p.SWEKPa[i], p.Confidence[i] = uint8(120+60*wave), float32(30+15*wave), 1
		}
		planes = append(planes, p)
	}
	dir := t.TempDir()
	if _, err := data.Save(dir, planes, func(p string) data.Split {
		if p >= "p004" {
			return data.Test
		}
		return data.Train
	}, nil, "# test\n"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func folders(t *testing.T) archive.Folders {
	dir := t.TempDir()
	return archive.Folders{Out: filepath.Join(dir, "out"), State: filepath.Join(dir, "state")}
}

// content is every file below a folder.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPlanListsEachTrainingOnceWithItsOneChange(t *testing.T) {
	p := Plan{Cohort: smallCohort(t), Config: sswe.Paper(), Folds: 3, Members: 2, Ablations: true}
	rows, err := p.Rows()
	if err != nil {
		t.Fatal(err)
	}
	keys, runs, configs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		keys[r.Key], runs[r.Args[argRun]] = true, true
		if strings.HasPrefix(r.Key, "ablation-") {
			if configs[r.Args[argConfig]] {
				t.Errorf("%s has another training's configuration", r.Key)
			}
			configs[r.Args[argConfig]] = true
		}
	}
	for _, key := range []string{"fold-03-of-03", "member-02", "ablation-no-skips", "ablation-no-augmentation", "ablation-pix2pix"} {
		if !keys[key] {
			t.Errorf("%s is not planned", key)
		}
	}
	for _, key := range []string{"ablation-thyroid", "ablation-scanner-b", "ablation-depth-only", "ablation-patients-10"} {
		if keys[key] {
			t.Errorf("%s needs other patients or images", key)
		}
	}
	if len(keys) != len(rows) || len(runs) != len(rows) {
		t.Errorf("%d rows, %d keys, %d folders", len(rows), len(keys), len(runs))
	}
	for _, bad := range []Plan{{Cohort: p.Cohort, Config: p.Config}, {Cohort: p.Cohort, Config: p.Config, Folds: 1}, {Cohort: t.TempDir(), Config: p.Config, Members: 1}, {Cohort: p.Cohort, Members: 1}} {
		if _, err := bad.Rows(); err == nil {
			t.Errorf("plan %+v is accepted", bad)
		}
	}
}

// A training killed between two steps and done again leaves the files of an undisturbed one, and done once more computes
// nothing. What it leaves is a run, and a cross-validation of the folder finds its folds done.
func TestATrainingIsDoneOnceOverKills(t *testing.T) {
	cohort := smallCohort(t)
	rows, err := Plan{Cohort: cohort, Config: tiny(), Folds: 2, Members: 1}.Rows()
	if err != nil {
		t.Fatal(err)
	}
	whole, killed := folders(t), folders(t)
	if c, err := archive.Run(t.Context(), slices.Values(rows), archive.Options{Folders: whole, Workers: 1}, Work(whole.State, open)); err != nil || c.Refused > 0 {
		t.Fatalf("%v, %+v", err, c)
	}
	for _, row := range rows {
		ctx, cancel := context.WithCancel(t.Context())
		backend := func(ctx context.Context) (compute.Backend, error) { cancel(); return open(ctx) } // dies before its first step
		if _, _, err := archive.Do(ctx, row, killed, Work(killed.State, backend)); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: stopped, it returns %v", row.Key, err)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(Unfinished(killed.State), "*", "checkpoint", "*.npz")); len(found) != len(rows) {
		t.Errorf("checkpoints of stopped trainings: %v", found)
	}
	for _, computed := range []int{len(rows), 0} {
		c, err := archive.Run(t.Context(), slices.Values(rows), archive.Options{Folders: killed, Workers: 1}, Work(killed.State, open))
		if err != nil || c.Computed != computed || c.Refused > 0 {
			t.Fatalf("%v, %+v, expected %d computed", err, c, computed)
		}
	}
	if diff := cmp.Diff(content(t, whole.Out), content(t, killed.Out)); diff != "" {
		t.Error(diff)
	}
	if m, err := (sswe.Run{Dir: filepath.Join(whole.Out, "members", "01")}).Metrics(); err != nil || m.NPatients != 2 || !m.Simulated {
		t.Errorf("%v: the member's run holds %+v", err, m)
	}

	c, err := data.Open(cohort)
	if err != nil {
		t.Fatal(err)
	}
	var samples []*data.Sample
	for _, split := range []data.Split{data.Train, data.Test} {
		planes, _, err := c.Load(t.Context(), split, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range planes {
			samples = append(samples, p.Resample(tiny().Grid))
		}
	}
	trained := 0
	v := sswe.CrossValidation{Backend: shared, Config: tiny(), Dir: whole.Out, Folds: 2, Foci: c.Foci,
		Origin: sswe.Origin{Organ: c.Rows[0].Organ, Simulated: true}, OnFold: func(int, int, []string) { trained++ }}
	if result, _, err := v.Run(t.Context(), samples); err != nil || result.Metrics.NPatients != 6 || trained > 0 {
		t.Errorf("%v: the cross-validation trained %d folds again", err, trained)
	}
}

func TestATrainingThatCannotBeIsADeadLetter(t *testing.T) {
	cohort := smallCohort(t)
	plan := func(change func(*sswe.Config, *Plan)) archive.Row {
		c := tiny()
		p := Plan{Cohort: cohort, Members: 1}
		change(&c, &p)
		p.Config = tiny()
		rows, err := p.Rows()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		rows[0].Args[argConfig] = string(text)
		return rows[0]
	}
	for says, row := range map[string]archive.Row{
		"diverged": plan(func(c *sswe.Config, _ *Plan) {
			c.Training.LearningRate, c.Training.FinalRate, c.Training.Epochs = 1e30, 1e30, 10
		}),
		"batch_size":   plan(func(c *sswe.Config, _ *Plan) { c.Training.BatchSize = 0 }),
		"folds of 6":   plan(func(_ *sswe.Config, p *Plan) { p.Folds, p.Members = 7, 0 }),
		"cannot open":  {Key: "none", Inputs: []string{filepath.Join(cohort, "none.csv")}},
		"is no JSON (": {Key: "none", Inputs: []string{filepath.Join(cohort, "manifest.csv")}},
	} {
		f := folders(t)
		r, _, err := archive.Do(t.Context(), row, f, Work(f.State, open))
		if err != nil || r.Refused == nil || !strings.Contains(r.Refused.Reason, says) || r.Refused.Remedy == "" {
			t.Errorf("%s: %v, %s", says, err, fmt.Sprint(r.Refused))
		}
	}
}
