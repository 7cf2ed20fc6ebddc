package sswe

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/npz"
	"elastography/sswe/metric"
)

// Run is the folder of one study: config.json, history.csv, checkpoint/, predictions/, metrics.csv, metrics.json,
// evaluation.md and what others add (figures/, notebooks/, report.html). Everything a figure or a notebook shows comes from these files.
type Run struct{ Dir string }

// CheckpointDir is where the weights are.
func (r Run) CheckpointDir() string { return filepath.Join(r.Dir, "checkpoint") }

// FiguresDir is where figures go.
func (r Run) FiguresDir() string { return filepath.Join(r.Dir, "figures") }

// CohortDir is where the run's cohort is: in the run's own folder, unless LinkCohort named another.
func (r Run) CohortDir() string {
	if b, err := os.ReadFile(filepath.Join(r.Dir, cohortLink)); err == nil {
		return strings.TrimSpace(string(b))
	}
	return filepath.Join(r.Dir, "cohort")
}

const cohortLink = "cohort.path"

// LinkCohort remembers which cohort the run is made on, and refuses another than before.
func (r Run) LinkCohort(dir string) error {
	path, err1 := filepath.Abs(dir)
	own, err2 := filepath.Abs(filepath.Join(r.Dir, "cohort"))
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("link cohort: %w", err)
	}
	if old, err := os.ReadFile(filepath.Join(r.Dir, cohortLink)); err == nil && strings.TrimSpace(string(old)) != path {
		return fmt.Errorf("run %s was made on the cohort %s, now asked for %s; use another --out", r.Dir, strings.TrimSpace(string(old)), path)
	}
	if _, err := os.Stat(own); err == nil && path != own {
		return fmt.Errorf("run %s has a cohort of its own, now asked for %s; use another --out", r.Dir, path)
	}
	return r.write(cohortLink, []byte(path+"\n"))
}

// ErrNotThere marks a part of a run that has not been made yet.
var ErrNotThere = errors.New("not made yet")

// SaveConfig writes config.json; if one is there it must say the same.
func (r Run) SaveConfig(c Config) error {
	old, err := r.Config()
	switch {
	case err == nil && old == c:
		return nil
	case err == nil:
		return fmt.Errorf("run %s was made with preset %q and seed %d, now asked for preset %q and seed %d, or their settings differ; use another --out or delete the folder",
			r.Dir, old.Preset, old.Seed, c.Preset, c.Seed)
	case !errors.Is(err, ErrNotThere):
		return err
	}
	return r.writeJSON("config.json", c)
}

// Config reads config.json.
func (r Run) Config() (Config, error) {
	var c Config
	if err := r.readJSON("config.json", &c); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", filepath.Join(r.Dir, "config.json"), err)
	}
	return c, nil
}

// Metrics reads metrics.json.
func (r Run) Metrics() (Metrics, error) {
	var m Metrics
	return m, r.readJSON("metrics.json", &m)
}

// SaveHistory writes history.csv.
func (r Run) SaveHistory(history []Epoch) error {
	records := [][]string{{"epoch", "step", "train_mae_kpa", "val_mae_kpa", "learning_rate"}}
	for _, e := range history {
		records = append(records, []string{strconv.Itoa(e.Epoch), strconv.Itoa(e.Step), number(e.TrainMAEKPa), number(e.ValMAEKPa),
			number(e.LearningRate)})
	}
	return r.writeCSV("history.csv", records)
}

// History reads history.csv.
func (r Run) History() ([]Epoch, error) {
	_, records, err := r.readCSV("history.csv")
	if err != nil {
		return nil, err
	}
	var history []Epoch
	for i, f := range records {
		var e Epoch
		var errs [5]error
		if len(f) == 5 {
			e.Epoch, errs[0] = strconv.Atoi(f[0])
			e.Step, errs[1] = strconv.Atoi(f[1])
			e.TrainMAEKPa, errs[2] = strconv.ParseFloat(f[2], 64)
			e.ValMAEKPa, errs[3] = strconv.ParseFloat(f[3], 64)
			e.LearningRate, errs[4] = strconv.ParseFloat(f[4], 64)
		}
		if err := errors.Join(errs[:]...); err != nil || len(f) != 5 {
			return nil, fmt.Errorf("%s line %d: %v is not a history row; delete the file and run the command again", filepath.Join(r.Dir, "history.csv"), i+2, f)
		}
		history = append(history, e)
	}
	return history, nil
}

// SaveResult writes predictions/, metrics.csv, evaluation.md and, last, metrics.json: a run with metrics.json is evaluated.
func (r Run) SaveResult(result *Result, test []*data.Sample, predictions []Prediction) error {
	for k, s := range test {
		if err := r.savePrediction(s, predictions[k].KPa); err != nil {
			return fmt.Errorf("save prediction %s: %w", s.ID(), err)
		}
	}
	names := slices.Sorted(maps.Keys(result.BaselineMAEKPa))
	header := []string{"patient", "plane", "pixels", "mae_kpa", "rmse_kpa", "bias_kpa", "pearson"}
	for _, name := range names {
		header = append(header, "baseline_"+name+"_mae_kpa")
	}
	records := [][]string{append(header, "spearman", "concordance", "ssim", "psnr_db")}
	for k, p := range result.Planes {
		row := []string{p.Patient, p.Plane, strconv.Itoa(p.Pixels), number(p.MAEKPa), number(p.RMSEKPa), number(p.BiasKPa), number(p.Pearson)}
		for _, name := range names {
			row = append(row, number(result.BaselineMAEKPa[name][k]))
		}
		i := result.Similarities[k]
		records = append(records, append(row, number(i.Spearman), number(i.Concordance), number(i.SSIM), number(i.PSNRDB)))
	}
	if err := r.writeCSV("metrics.csv", records); err != nil {
		return err
	}
	if err := r.write("evaluation.md", []byte(result.Metrics.Markdown())); err != nil {
		return err
	}
	return r.writeJSON("metrics.json", result.Metrics)
}

// Pair is one test plane as stored in predictions/: the input, the measured and the synthetic elastogram.
type Pair struct {
	data.Sample
	SSWEKPa []float32 // [Height, Width], kPa
}

func (r Run) savePrediction(s *data.Sample, kPa []float32) error {
	dir := filepath.Join(r.Dir, "predictions")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	h, w := s.Grid.Height, s.Grid.Width
	arrays := map[string]npz.Array{
		"bmode": npz.Of(s.Image, h, w), "swe_kpa": npz.Of(s.TargetKPa, h, w), "sswe_kpa": npz.Of(kPa, h, w),
		"mask": npz.Of(s.Mask, h, w), "saturated": npz.Of(s.Saturated, h, w),
		"mm_per_px": npz.Of([]float64{s.Grid.MMPerPx}), "scale_max_kpa": npz.Of([]float64{s.ScaleMaxKPa}),
	}
	if s.Labels != nil {
		arrays["labels"] = npz.Of(s.Labels, h, w)
	}
	if s.LabelsTrue != nil {
		arrays["labels_true"] = npz.Of(s.LabelsTrue, h, w)
	}
	return npz.WriteFile(filepath.Join(dir, s.Patient+"_"+s.Plane+".npz"), arrays)
}

// Pairs reads every stored prediction, ordered by patient and plane.
func (r Run) Pairs() ([]Pair, error) {
	_, records, err := r.readCSV("metrics.csv")
	if err != nil {
		return nil, err
	}
	pairs := make([]Pair, 0, len(records))
	for _, f := range records {
		p, err := r.pair(f[0], f[1])
		if err != nil {
			return nil, fmt.Errorf("read prediction: %w", err)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// PredictionsOf reads the stored predictions of these planes, in their order.
func (r Run) PredictionsOf(test []*data.Sample) ([]Prediction, error) {
	out := make([]Prediction, len(test))
	for k, s := range test {
		p, err := r.pair(s.Patient, s.Plane)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("run %s has no prediction of plane %s; evaluate it on the same cohort first", r.Dir, s.ID())
		}
		if err != nil {
			return nil, fmt.Errorf("read prediction: %w", err)
		}
		if p.Grid != s.Grid {
			return nil, fmt.Errorf("run %s drew plane %s on grid %+v, here it is on %+v; train it with the same preset", r.Dir, s.ID(), p.Grid, s.Grid)
		}
		out[k].KPa = p.SSWEKPa
	}
	return out, nil
}

func (r Run) pair(patient, plane string) (Pair, error) {
	f, err := npz.ReadFile(filepath.Join(r.Dir, "predictions", patient+"_"+plane+".npz"))
	if err != nil {
		return Pair{}, err
	}
	p := Pair{Sample: data.Sample{Patient: patient, Plane: plane}}
	var errs [7]error
	var shape []int
	var mm, scale []float64
	p.Image, shape, errs[0] = npz.Get[float32](f, "bmode")
	p.TargetKPa, _, errs[1] = npz.Get[float32](f, "swe_kpa")
	p.SSWEKPa, _, errs[2] = npz.Get[float32](f, "sswe_kpa")
	p.Mask, _, errs[3] = npz.Get[bool](f, "mask")
	p.Saturated, _, errs[4] = npz.Get[bool](f, "saturated")
	mm, _, errs[5] = npz.Get[float64](f, "mm_per_px")
	scale, _, errs[6] = npz.Get[float64](f, "scale_max_kpa")
	if err := errors.Join(errs[:]...); err != nil {
		return Pair{}, err
	}
	if len(shape) != 2 || len(mm) != 1 || len(scale) != 1 {
		return Pair{}, fmt.Errorf("%s/%s: %w: shape %v", patient, plane, data.ErrDamaged, shape)
	}
	p.Grid, p.ScaleMaxKPa = data.Grid{Height: shape[0], Width: shape[1], MMPerPx: mm[0]}, scale[0]
	for name, into := range map[string]*[]uint8{"labels": &p.Labels, "labels_true": &p.LabelsTrue} {
		if f.Has(name) {
			if *into, _, err = npz.Get[uint8](f, name); err != nil {
				return Pair{}, err
			}
		}
	}
	n := p.Grid.Pixels()
	if len(p.Image) != n || len(p.TargetKPa) != n || len(p.SSWEKPa) != n || len(p.Mask) != n || len(p.Saturated) != n ||
		(p.Labels != nil && len(p.Labels) != n) || (p.LabelsTrue != nil && len(p.LabelsTrue) != n) {
		return Pair{}, fmt.Errorf("%s/%s: %w: arrays differ in size", patient, plane, data.ErrDamaged)
	}
	return p, nil
}

// baselineErrors reads what SaveResult wrote of the baselines, for each plane in the order of Pairs.
func (r Run) baselineErrors() (map[string][]float64, error) {
	header, rows, err := r.readCSV("metrics.csv")
	if err != nil {
		return nil, err
	}
	found := make(map[string][]float64)
	for column, title := range header {
		name, isBaseline := strings.CutPrefix(strings.TrimSuffix(title, "_mae_kpa"), "baseline_")
		if !isBaseline {
			continue
		}
		for k, row := range rows {
			v, err := strconv.ParseFloat(row[column], 64)
			if err != nil {
				return nil, fmt.Errorf("%s line %d: %q is no error in kPa; evaluate the run again", filepath.Join(r.Dir, "metrics.csv"), k+2, row[column])
			}
			found[name] = append(found[name], v)
		}
	}
	return found, nil
}

// Result rebuilds the planes, baselines, tiles and curves of a stored run, without the network.
func (r Run) Result() (*Result, []Pair, error) {
	c, err := r.Config()
	if err != nil {
		return nil, nil, err
	}
	metrics, err := r.Metrics()
	if err != nil {
		return nil, nil, err
	}
	pairs, err := r.Pairs()
	if err != nil {
		return nil, nil, err
	}
	baselines, err := r.baselineErrors()
	if err != nil {
		return nil, nil, err
	}
	v := &evaluation{config: c, patientOf: make([]int, len(pairs)),
		result: &Result{Metrics: metrics, Curves: map[string]metric.Curve{}, BaselineMAEKPa: baselines}}
	for k := range pairs {
		s, kPa := &pairs[k].Sample, pairs[k].SSWEKPa
		v.Test, v.Predictions = append(v.Test, s), append(v.Predictions, Prediction{KPa: kPa})
		v.result.Planes = append(v.result.Planes, planeError(s, kPa))
		v.result.Similarities = append(v.result.Similarities, similarity(c, s, kPa))
	}
	asRegistered := v.regions(mapsOf(v.Predictions), registered)
	v.result.Tiles = asRegistered.tiles
	v.result.draw(asRegistered, "")
	v.result.draw(v.regions(mapsOf(v.Predictions), unregistered), "_true")
	return v.result, pairs, nil
}

func (r Run) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return r.write(name, append(b, '\n'))
}

func (r Run) write(name string, b []byte) error {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := renameio.WriteFile(filepath.Join(r.Dir, name), b, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(r.Dir, name), err)
	}
	return nil
}

func (r Run) readJSON(name string, v any) error {
	path := filepath.Join(r.Dir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w; make it with `go run . reproduce --out %s`", path, ErrNotThere, r.Dir)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w: %v; delete it and run the command again", path, data.ErrDamaged, err)
	}
	return nil
}

func (r Run) writeCSV(name string, records [][]string) error {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(records); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return r.write(name, b.Bytes())
}

// readCSV returns the header and the rows below it.
func (r Run) readCSV(name string) (header []string, rows [][]string, err error) {
	path := filepath.Join(r.Dir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w; make it with `go run . reproduce --out %s`", path, ErrNotThere, r.Dir)
	}
	if err != nil {
		return nil, nil, err
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(records) == 0 {
		return nil, nil, fmt.Errorf("%s: %w: %v; delete it and run the command again", path, data.ErrDamaged, err)
	}
	return records[0], records[1:], nil
}

// number is empty where there is none.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 9, 64)
}
