package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"

	"elastography/data/phantom"
	"elastography/data/scanner"
)

// Recipe says which virtual patients are scanned, and how. Equal recipes give equal bytes on one CPU type, whatever the
// number of workers.
type Recipe struct {
	Organ    string `json:"organ"`
	Scanner  string `json:"scanner"`
	Patients int    `json:"patients"`
	Test     int    `json:"test_patients"` // the last ones
	Seed     uint64 `json:"seed"`
}

// Study is the papers' cohort: 50 patients, 40 to train and 10 to test, three planes each.
func Study() Recipe {
	return Recipe{Organ: "prostate", Scanner: scanner.EndFire().Name, Patients: 50, Test: 10, Seed: 2019}
}

// imageGrid is the stored image: 44.8 mm deep, 67.2 mm wide.
var imageGrid = phantom.Grid{Height: 256, Width: 384, MMPerPx: 0.175}

// Validate refuses an impossible recipe by name.
func (r Recipe) Validate() error {
	if r.Organ != "prostate" {
		return fmt.Errorf("simulate: organ %q is unknown; \"prostate\" is simulated", r.Organ)
	}
	s, err := scanner.Named(r.Scanner)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	if !s.HasSWE {
		return fmt.Errorf("simulate: scanner %q has no SWE: nothing to learn from; choose another", r.Scanner)
	}
	if r.Patients < 2 || r.Patients > 100000 {
		return fmt.Errorf("simulate: %d patients; give 2 to 100000", r.Patients)
	}
	if r.Test < 1 || r.Test >= r.Patients {
		return fmt.Errorf("simulate: %d test patients of %d; give at least 1 and leave at least 1 to train", r.Test, r.Patients)
	}
	return nil
}

// Simulate makes a cohort in dir: each plane is drawn by data/phantom, imaged by data/scanner and stored at once, so
// that an interrupted simulation goes on where it stopped. onPlane, which may be nil, is told of each plane.
func Simulate(ctx context.Context, dir string, r Recipe, onPlane func(done, total int)) (*Cohort, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := claim(dir, r); err != nil {
		return nil, err
	}
	device, err := scanner.Named(r.Scanner)
	if err != nil {
		return nil, err
	}
	patients := make([]*phantom.Patient, r.Patients)
	for i := range patients {
		if patients[i], err = phantom.Prostate().Patient(r.Seed, i); err != nil {
			return nil, fmt.Errorf("simulate patient %d: %w", i+1, err)
		}
	}
	planes := len(patients[0].Planes())
	rows := make([]Row, len(patients)*planes)
	finished := make(chan struct{}, len(rows))
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		done := 0
		for range finished {
			if done++; onPlane != nil {
				onPlane(done, len(rows))
			}
		}
	}()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k := range rows {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			patient, split := patients[k/planes], Train
			if k/planes >= r.Patients-r.Test {
				split = Test
			}
			row, err := simulatePlane(ctx, dir, r, device, patient, k%planes, split)
			if err != nil {
				return fmt.Errorf("simulate %s, plane %s: %w", patient.ID, patient.Planes()[k%planes], err)
			}
			rows[k] = row
			finished <- struct{}{}
			return nil
		})
	}
	err = group.Wait()
	close(finished)
	<-counted
	if err != nil {
		return nil, err
	}
	c := &Cohort{Dir: dir, Rows: rows, Foci: fociOf(patients)}
	return c, c.seal(card(r, device, c))
}

// claim makes the folder this recipe's, and refuses one that holds another's planes.
func claim(dir string, r Recipe) error {
	path := filepath.Join(dir, "recipe.json")
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) == string(text):
		return nil
	case err == nil:
		return fmt.Errorf("simulate: %s holds a cohort of another recipe (see recipe.json); choose another folder or delete it", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("simulate: %w", err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("simulate: folder %s is not empty and holds no recipe.json; choose another folder", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	if err := renameio.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}

// simulatePlane scans one plane, or takes the one that an earlier, interrupted simulation left whole.
func simulatePlane(ctx context.Context, dir string, r Recipe, device scanner.Scanner, patient *phantom.Patient, plane int, split Split) (Row, error) {
	name := patient.Planes()[plane]
	if sum, err := hashFile(filepath.Join(dir, planeFile(patient.ID, name))); err == nil {
		row := Row{Patient: patient.ID, Plane: name, Split: split, Organ: r.Organ, Scanner: device.Name,
			MMPerPx: imageGrid.MMPerPx, ScaleMaxKPa: device.ScaleMaxKPa, Source: Simulated, SHA256: sum}
		if _, err := (&Cohort{Dir: dir}).Plane(row); err == nil {
			return row, nil
		}
	}
	section, err := patient.Section(ctx, plane, imageGrid)
	if err != nil {
		return Row{}, err
	}
	p, err := Scan(ctx, device, device.Exam(Stream(r.Seed, "exam/"+patient.ID).Uint64()), section)
	if err != nil {
		return Row{}, err
	}
	p.Organ = r.Organ
	return storePlane(dir, p, split)
}

// Scan images a section with a scanner: B-mode and SWE, side by side.
func Scan(ctx context.Context, device scanner.Scanner, exam scanner.Exam, section *phantom.Section) (*Plane, error) {
	medium := Medium(section)
	echo, err := device.BMode(ctx, medium, exam, section.Plane)
	if err != nil {
		return nil, fmt.Errorf("B-mode: %w", err)
	}
	swe, err := device.SWE(ctx, medium, exam, sweBox(section, exam.Seed), section.Plane)
	if err != nil {
		return nil, fmt.Errorf("SWE: %w", err)
	}
	return &Plane{Patient: section.Patient, Name: section.Plane, Scanner: device.Name, Source: Simulated,
		MMPerPx: medium.MMPerPx, ScaleMaxKPa: swe.ScaleMaxKPa, Height: medium.Height, Width: medium.Width,
		BMode: echo.Pix, SWEKPa: swe.EKPa, Saturated: swe.Saturated, Confidence: swe.Confidence,
		Labels: section.LabelsRegistered, ETrueKPa: section.EKPa, LabelsTrue: section.Labels}, nil
}

// Medium hands a section's tissue to a scanner, which must not know of patients.
func Medium(s *phantom.Section) *scanner.Medium {
	return &scanner.Medium{Height: s.Grid.Height, Width: s.Grid.Width, MMPerPx: s.Grid.MMPerPx,
		EKPa: s.EKPa, ViscosityPaS: s.ViscosityPaS, BackscatterDB: s.BackscatterDB, AttenDBCmMHz: s.AttenDBCmMHz,
		ClusterShape: s.ClusterShape, ReflectorDB: s.ReflectorDB, NormalZ: s.ReflectorNormalZ, NormalX: s.ReflectorNormalX,
		Fluid: s.Fluid, Calcification: s.Calcification}
}

// sweBox is where the operator puts the SWE box: around the gland, or in three of ten planes around one half of it,
// since P1's boxes "covered the entire or parts of the prostate". The share is an assumption.
func sweBox(s *phantom.Section, seed uint64) scanner.Box {
	const marginMM, maxWidthMM = 2.5, 48
	h, w, margin := s.Grid.Height, s.Grid.Width, int(marginMM/s.Grid.MMPerPx)
	box := scanner.Box{Top: h, Left: w}
	for i, inside := range s.Gland {
		if inside {
			y, x := i/w, i%w
			box.Top, box.Bottom = min(box.Top, y), max(box.Bottom, y+1)
			box.Left, box.Right = min(box.Left, x), max(box.Right, x+1)
		}
	}
	middle := (box.Left + box.Right) / 2
	half := min((box.Right-box.Left)/2+margin, int(maxWidthMM/2/s.Grid.MMPerPx))
	box.Left, box.Right = middle-half, middle+half
	switch rng := Stream(seed, "swe box/"+s.Plane); {
	case rng.Float64() >= 0.3:
	case rng.IntN(2) == 0:
		box.Right = middle + margin
	default:
		box.Left = middle - margin
	}
	return scanner.Box{Top: max(0, box.Top-margin), Left: max(0, box.Left), Bottom: min(h, box.Bottom+margin), Right: min(w, box.Right)}
}

func fociOf(patients []*phantom.Patient) []FocusRow {
	var rows []FocusRow
	for _, p := range patients {
		for _, f := range p.Foci {
			rows = append(rows, FocusRow{Patient: p.ID, Focus: f.ID, Zone: f.Zone, GradeGroup: f.GradeGroup, Gleason: f.Gleason,
				DiameterMM: f.DiameterMM})
		}
	}
	return slices.Clip(rows)
}
