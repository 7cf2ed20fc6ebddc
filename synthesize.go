package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"elastography/data"
	"elastography/data/npz"
	"elastography/data/scan"
	"elastography/kernel/pjrt"
	"elastography/plots"
	"elastography/sswe"
)

type synthesizeCommand struct {
	Paths      []string `arg:"" name:"path" help:"B-mode images (PNG, JPEG, TIFF) or planes of a cohort (.npz)."`
	Checkpoint string   `help:"Run folder or model file." required:"" type:"path"`
	Out        string   `help:"Folder for pictures and kPa arrays." required:"" type:"path"`
	MMPerPx    float64  `help:"Pixel size of the images in mm." placeholder:"MM"`
	Organ      string   `help:"What the images show; planes of a cohort know it."`
}

func (c synthesizeCommand) Help() string {
	return "Example: go run . synthesize runs/reproduce/cohort/p041/mid.npz --checkpoint runs/reproduce --out synthetic"
}

func (c synthesizeCommand) Run(ctx context.Context) error {
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
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	var failures []error
	for _, path := range c.Paths {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := c.one(model, path); err != nil {
			failures = append(failures, fmt.Errorf("synthesize %s: %w", path, err))
		}
	}
	return errors.Join(failures...)
}

// one draws the synthetic elastogram of one image and stores it on the image's own pixels.
func (c synthesizeCommand) one(model *sswe.Model, path string) error {
	p, warning, err := c.read(model, path)
	if err != nil {
		return err
	}
	predictions, err := model.Predict([]*data.Sample{p.Resample(model.Config.Grid)})
	if err != nil {
		return err
	}
	outside, why := model.Domain.Verdict(predictions[0], model.Origin, p.Organ)
	if warning != "" {
		outside, why = true, strings.TrimPrefix(why+"; "+warning, "; ")
	}
	kPa := p.Expand(predictions[0].KPa, model.Config.Grid)

	name := filepath.Join(c.Out, outputName(path))
	if err := npz.WriteFile(name+"_sswe.npz", map[string]npz.Array{
		"sswe_kpa": npz.Of(kPa, p.Height, p.Width), "mm_per_px": npz.Of([]float64{p.MMPerPx}),
		"outside_training_domain": npz.Of([]bool{outside}), "note": npz.Of([]byte(synthesisNote(model, outside, why))),
	}); err != nil {
		return err
	}
	title := "sSWE: synthetic, research use"
	if outside {
		title = "sSWE: OUTSIDE THE TRAINING DOMAIN"
	}
	unit := "Young's modulus (kPa)"
	if model.Origin.Simulated {
		unit += ", network trained on simulated data"
	}
	f, err := plots.SideBySide([]plots.LabelledMap{
		{Title: "B-mode", Gray: &plots.Gray{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Pix: p.BMode}},
		{Title: title, Unit: unit, Max: model.Config.RangeKPa,
			Field: &plots.Map{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx, Values: kPa}},
	}, plots.Style{Simulated: p.Source == data.Simulated, ScaleMaxKPa: model.Config.RangeKPa})
	if err != nil {
		return err
	}
	files, err := f.Save(name + "_sswe")
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s and %s_sswe.npz\n  %s\n", path, files[0], name, synthesisNote(model, outside, why))
	return nil
}

// synthesisNote travels with every output.
func synthesisNote(m *sswe.Model, outside bool, why string) string {
	trained := "real"
	if m.Origin.Simulated {
		trained = "simulated"
	}
	note := fmt.Sprintf("synthetic, research use only; network trained on %d %s %s planes (%s)", m.Origin.Planes, trained, m.Origin.Organ, strings.Join(m.Origin.Scanners, ", "))
	if outside {
		note += "; OUTSIDE THE TRAINING DOMAIN: " + why
	}
	return note
}

// read takes a plane of a cohort with what its manifest says, or a plain image.
func (c synthesizeCommand) read(model *sswe.Model, path string) (p *data.Plane, warning string, err error) {
	if filepath.Ext(path) == ".npz" {
		p, err = data.PlaneAt(path)
		return p, "", err
	}
	pix, h, w, err := scan.ReadGray(path, 0)
	if err != nil {
		return nil, "", err
	}
	n := h * w
	p = &data.Plane{Patient: "image", Name: outputName(path), Organ: c.Organ, Source: data.Imported, MMPerPx: c.MMPerPx,
		ScaleMaxKPa: model.Config.RangeKPa, Height: h, Width: w, BMode: pix,
		SWEKPa: make([]float32, n), Saturated: make([]bool, n), Confidence: make([]float32, n)}
	if p.MMPerPx == 0 {
		field := float64(model.Config.Grid.Width) * model.Config.Grid.MMPerPx
		p.MMPerPx = field / float64(w)
		warning = fmt.Sprintf("the pixel size is unknown and was taken as %.3f mm, as if the image were %.0f mm wide; give --mm-per-px", p.MMPerPx, field)
	}
	return p, warning, p.Check()
}

// outputName is the file's name without folder and extension; a cohort's plane also carries its patient.
func outputName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if _, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(path)), "manifest.csv")); filepath.Ext(path) == ".npz" && !errors.Is(err, fs.ErrNotExist) {
		return filepath.Base(filepath.Dir(path)) + "_" + name
	}
	return name
}
