package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"elastography/data/phantom"
	"elastography/data/scanner"
)

// ErrNoRecipe marks a cohort that was not simulated here: nothing of it can be drawn again.
var ErrNoRecipe = errors.New("the cohort has no recipe.json")

// Recipe reads what a simulated cohort was made from.
func (c *Cohort) Recipe() (Recipe, error) {
	path := filepath.Join(c.Dir, "recipe.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Recipe{}, fmt.Errorf("%s: %w", c.Dir, ErrNoRecipe)
	}
	if err != nil {
		return Recipe{}, err
	}
	var r Recipe
	if err := json.Unmarshal(text, &r); err != nil {
		return Recipe{}, fmt.Errorf("%s: %w: %v", path, ErrDamaged, err)
	}
	if err := r.Validate(); err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Redrawing is a simulated cohort's patients again, to be looked into and scanned again.
type Redrawing struct {
	Patients []*phantom.Patient
	recipe   Recipe
	device   scanner.Scanner
}

// Redraw draws the recipe's patients again. A stiffness seed other than 0 replaces the stiffness of each and nothing else
// (phantom.Recipe.StiffnessSeed): the control that no echo is made from stiffness.
func (r Recipe) Redraw(stiffnessSeed uint64) (*Redrawing, error) {
	device, err := scanner.Named(r.Scanner)
	if err != nil {
		return nil, err
	}
	population := organs()[r.Organ].recipe
	population.StiffnessSeed = stiffnessSeed
	d := &Redrawing{recipe: r, device: device, Patients: make([]*phantom.Patient, r.Patients)}
	for i := range d.Patients {
		if d.Patients[i], err = population.Patient(r.Seed, i); err != nil {
			return nil, fmt.Errorf("redraw patient %d: %w", i+1, err)
		}
	}
	return d, nil
}

// Section is the tissue of a stored plane.
func (d *Redrawing) Section(ctx context.Context, patient, plane string) (*phantom.Section, error) {
	for _, p := range d.Patients {
		if k := slices.Index(p.Planes(), plane); p.ID == patient && k >= 0 {
			return p.Section(ctx, k, d.recipe.imageGrid())
		}
	}
	return nil, fmt.Errorf("redraw: the recipe makes no plane %s/%s", patient, plane)
}

// Plane scans a stored plane again, in the same examination.
func (d *Redrawing) Plane(ctx context.Context, patient, plane string) (*Plane, error) {
	section, err := d.Section(ctx, patient, plane)
	if err != nil {
		return nil, err
	}
	return Scan(ctx, d.device, d.exam(patient), section)
}

// Echo is the B-mode picture of Plane alone, which takes a quarter of the time.
func (d *Redrawing) Echo(ctx context.Context, patient, plane string) ([]uint8, error) {
	section, err := d.Section(ctx, patient, plane)
	if err != nil {
		return nil, err
	}
	picture, err := d.device.BMode(ctx, Medium(section), d.exam(patient), plane)
	if err != nil {
		return nil, err
	}
	return picture.Pix, nil
}

func (d *Redrawing) exam(patient string) scanner.Exam {
	return d.device.Exam(Stream(d.recipe.Seed, "exam/"+patient).Uint64())
}
