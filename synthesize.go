package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"

	"elastography/data"
	"elastography/data/dicom"
	"elastography/data/npz"
	"elastography/data/scan"
	"elastography/data/scan/intake"
	"elastography/kernel/pjrt"
	"elastography/plots"
	"elastography/sswe"
)

type synthesizeCommand struct {
	Paths      []string `arg:"" name:"path" help:"B-mode images (PNG, JPEG, TIFF, DICOM), planes of a cohort (.npz), folders of them, or cohorts."`
	Checkpoint string   `help:"Run folder or model file." required:"" type:"path"`
	Out        string   `help:"Folder for pictures, kPa arrays and DICOM." required:"" type:"path"`
	MMPerPx    float64  `help:"Pixel size of the images in mm; DICOM and cohorts know theirs." placeholder:"MM"`
	Crop       string   `help:"Part of the picture that is B-mode, pixels; DICOM's tissue region by default." placeholder:"LEFT,TOP,RIGHT,BOTTOM"`
	Frame      int      `help:"Frame of a cine, from 0." default:"0"`
	Organ      string   `help:"What the images show; planes of a cohort know it."`
	Key        string   `help:"File of the key that makes pseudonyms; made when absent. Default: in the private folder beside --out." type:"path" placeholder:"FILE"`
	Formats    []string `help:"Of panels (PNG, SVG, PDF), npz, overlay (PNG), dicom (secondary capture and parametric map)." default:"panels,npz,overlay,dicom" enum:"panels,npz,overlay,dicom"`
}

func (c synthesizeCommand) Help() string {
	return "Example: go run . synthesize runs/reproduce/cohort/p041/mid.npz --checkpoint runs/reproduce --out synthetic"
}

func (c synthesizeCommand) Run(ctx context.Context) error {
	crop, err := intake.Rectangle(c.Crop)
	if err != nil {
		return fmt.Errorf("synthesize: --crop: %w", err)
	}
	paths, err := intake.Sources(c.Paths)
	if err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	backend, err := sswe.OpenBackend()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	model, err := sswe.Load(backend, c.Checkpoint)
	if err != nil {
		return err
	}
	id, err := modelID(c.Checkpoint)
	if err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	if c.Key == "" {
		c.Key = filepath.Join(intake.PrivateFolder(c.Out), "pseudonym.key")
	}
	key, err := dicom.OpenKey(c.Key)
	if err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	s := synthesis{synthesizeCommand: c, model: model, modelID: id,
		source: intake.SourceOptions{Key: key, Organ: c.Organ, MMPerPx: c.MMPerPx, Crop: crop, Frame: c.Frame}}
	var failures []error
	for batch := range slices.Chunk(paths, max(1, model.Config.Training.BatchSize)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failures = append(failures, s.batch(batch)...)
	}
	return errors.Join(failures...)
}

// synthesis is a command at work.
type synthesis struct {
	synthesizeCommand
	model   *sswe.Model
	modelID string
	source  intake.SourceOptions
}

// batch reads, predicts and draws a few images, on all cores but for the
// prediction, which is one call. Images fail one by one.
func (s *synthesis) batch(paths []string) []error {
	sources, failures := make([]*intake.Source, len(paths)), make([]error, len(paths))
	each := func(do func(i int) error) {
		var g errgroup.Group
		g.SetLimit(runtime.GOMAXPROCS(0))
		for i := range paths {
			g.Go(func() error {
				if failures[i] != nil {
					return nil
				}
				if err := do(i); err != nil {
					failures[i] = fmt.Errorf("synthesize %s: %w", paths[i], err)
				}
				return nil
			})
		}
		_ = g.Wait() // failures are kept by image
	}
	each(func(i int) (err error) {
		sources[i], err = s.read(paths[i])
		return err
	})
	var samples []*data.Sample
	place := make([]int, len(paths)) // of each image's sample
	for i, source := range sources {
		if failures[i] == nil {
			place[i] = len(samples)
			samples = append(samples, source.Plane.Resample(s.model.Config.Grid))
		}
	}
	if len(samples) == 0 {
		return failures
	}
	predictions, err := s.model.Predict(samples)
	if err != nil {
		return append(failures, fmt.Errorf("synthesize: %w", err))
	}
	lines := make([]string, len(paths))
	each(func(i int) (err error) {
		lines[i], err = s.store(paths[i], sources[i], predictions[place[i]])
		return err
	})
	fmt.Print(strings.Join(lines, ""))
	return failures
}

// read takes an image as a plane, with a stated guess where its size is unknown.
func (s *synthesis) read(path string) (*intake.Source, error) {
	source, err := intake.ReadSource(path, s.source)
	if err != nil {
		return nil, err
	}
	p := source.Plane
	if p.MMPerPx == 0 {
		g := s.model.Config.Grid
		field := float64(g.Width) * g.MMPerPx
		p.MMPerPx = field / float64(p.Width)
		source.Warning = strings.TrimPrefix(source.Warning+fmt.Sprintf("; the pixel size is unknown and was taken as %.3f mm, as if the image were %.0f mm wide; give --mm-per-px", p.MMPerPx, field), "; ")
	}
	if p.ScaleMaxKPa == 0 {
		p.ScaleMaxKPa = s.model.Config.RangeKPa
	}
	return source, p.Check()
}

// store writes everything asked for of one image and says what.
func (s *synthesis) store(path string, source *intake.Source, prediction sswe.Prediction) (string, error) {
	p, rangeKPa := source.Plane, s.model.Config.RangeKPa
	outside, why := s.model.Domain.Verdict(prediction, s.model.Origin, p.Organ)
	if source.Warning != "" {
		outside, why = true, strings.TrimPrefix(why+"; "+source.Warning, "; ")
	}
	note := synthesisNote(s.model, outside, why)
	kPa := p.Expand(prediction.KPa, s.model.Config.Grid)
	name := filepath.Join(s.Out, source.Name)
	var made []string

	if s.wants("npz") {
		made = append(made, name+"_sswe.npz")
		if err := npz.WriteFile(name+"_sswe.npz", map[string]npz.Array{
			"sswe_kpa": npz.Of(kPa, p.Height, p.Width), "mm_per_px": npz.Of([]float64{p.MMPerPx}),
			"outside_training_domain": npz.Of([]bool{outside}), "note": npz.Of([]byte(note)), "model": npz.Of([]byte(s.modelID)),
		}); err != nil {
			return "", err
		}
	}
	if s.wants("overlay") {
		picture, err := scan.Overlay{Height: p.Height, Width: p.Width, BMode: p.BMode, KPa: kPa, ScaleMaxKPa: rangeKPa, Opacity: 0.5,
			Lines: []string{"model " + s.modelID, note}}.Draw()
		if err != nil {
			return "", err
		}
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			return "", err
		}
		made = append(made, name+"_overlay.png")
		if err := writeAtomically(name+"_overlay.png", b.Bytes()); err != nil {
			return "", err
		}
	}
	if s.wants("panels") || s.wants("dicom") {
		f, err := s.panels(p, kPa, outside)
		if err != nil {
			return "", err
		}
		if s.wants("panels") {
			files, err := f.Save(name + "_sswe")
			if err != nil {
				return "", err
			}
			made = append(made, files...)
		}
		if s.wants("dicom") {
			files, err := s.dicom(name, source, f, kPa, outside, why)
			if err != nil {
				return "", err
			}
			made = append(made, files...)
		}
	}
	for i, file := range made {
		made[i] = strings.TrimPrefix(file, name+"_")
	}
	from := path
	if source.Note != "" {
		from += " (" + source.Note + ")"
	}
	return fmt.Sprintf("%s\n  %s_*: %s\n  %s\n", from, name, strings.Join(made, " "), note), nil
}

func (s *synthesis) wants(format string) bool { return slices.Contains(s.Formats, format) }

// panels draws B-mode beside synthetic stiffness.
func (s *synthesis) panels(p *data.Plane, kPa []float32, outside bool) (*plots.Figure, error) {
	title := "sSWE: synthetic, research use"
	if outside {
		title = "sSWE: OUTSIDE THE TRAINING DOMAIN"
	}
	unit := "Young's modulus (kPa)"
	if s.model.Origin.AnySimulated() {
		unit += ", network trained on simulated data"
	}
	return plots.SideBySide([]plots.LabelledMap{
		{Title: "B-mode", Gray: &plots.Gray{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Pix: p.BMode}},
		{Title: title, Unit: unit, Max: s.model.Config.RangeKPa,
			Field: &plots.Map{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Values: kPa}},
	}, plots.Style{Simulated: p.Source == data.Simulated, ScaleMaxKPa: s.model.Config.RangeKPa})
}

// dicom writes the secondary capture of the panels and the parametric map.
func (s *synthesis) dicom(name string, source *intake.Source, panels *plots.Figure, kPa []float32, outside bool, why string) ([]string, error) {
	b, err := panels.ScreenPNG()
	if err != nil {
		return nil, err
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	p := source.Plane
	provenance := dicom.Provenance{Source: source.Identity, Frame: source.Frame, Model: s.modelID,
		TrainingDomain: s.model.Origin.String(), Version: version(), Made: time.Now()}
	if outside {
		provenance.Warning = "OUTSIDE THE TRAINING DOMAIN: " + why
	}
	capture, stiffness := name+"_capture.dcm", name+"_kpa.dcm"
	if err := dicom.WriteSecondaryCapture(capture, picture, provenance); err != nil {
		return nil, err
	}
	return []string{capture, stiffness}, dicom.WriteParametricMap(stiffness, dicom.StiffnessMap{Height: p.Height, Width: p.Width,
		KPa: kPa, MMPerPx: p.MMPerPx, ScaleMaxKPa: s.model.Config.RangeKPa}, provenance)
}

// synthesisNote travels with every output.
func synthesisNote(m *sswe.Model, outside bool, why string) string {
	note := m.Origin.Note()
	if outside {
		note += "; OUTSIDE THE TRAINING DOMAIN: " + why
	}
	return note
}

// modelID names a model by its file's bytes.
func modelID(checkpoint string) (string, error) {
	for _, path := range []string{checkpoint, filepath.Join(checkpoint, sswe.ModelFile), filepath.Join(checkpoint, "checkpoint", sswe.ModelFile)} {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("sswe-%x", sha256.Sum256(b))[:5+12], nil
	}
	return "", fmt.Errorf("%s holds no %s", checkpoint, sswe.ModelFile)
}

// version is this program's own, as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "sswe " + s.Value[:12]
			}
		}
	}
	return "sswe devel"
}

func writeAtomically(path string, b []byte) error {
	if err := renameio.WriteFile(path, b, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
