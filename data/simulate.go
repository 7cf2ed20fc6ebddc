package data

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

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
	Planes   int    `json:"planes,omitempty"` // a patient's, nearest the organ's middle; 0 takes all
}

// Study is the papers' cohort: 50 patients, 40 to train and 10 to test, three planes each.
func Study() Recipe {
	return Recipe{Organ: "prostate", Scanner: scanner.EndFire().Name, Patients: 50, Test: 10, Seed: 2019}
}

// ThyroidStudy is the second organ, for which P2 retrains the network. Its patients, split and error are not published,
// so their numbers are the prostate's.
func ThyroidStudy() Recipe {
	return Recipe{Organ: "thyroid", Scanner: scanner.Linear().Name, Patients: 50, Test: 10, Seed: 2020}
}

// organ is how one organ is drawn and scanned.
type organ struct {
	recipe phantom.Recipe
	grid   phantom.Grid // of the stored image
	swe    sweRule
}

// sweRule says where the operator puts the SWE box.
type sweRule struct {
	marginMM, maxWidthMM, maxDepthMM float64
	partial                          float64 // share of planes in which it covers one half of the organ only
	around                           func(label uint8) bool
}

// organs are those that can be simulated. The prostate's image is 44.8 mm deep and 67.2 mm wide, the thyroid's 38.4 and
// 43.2 mm. In three of ten prostate planes the box covers one half of the gland, since P1's boxes "covered the entire or
// parts of the prostate"; in the thyroid it covers the lobe and not the isthmus, which lies on air. Shares, margins and
// sizes are assumptions.
func organs() map[string]organ {
	return map[string]organ{
		"prostate": {phantom.Prostate(), phantom.ReferenceGrid(),
			sweRule{2.5, 48, math.Inf(1), 0.3, func(label uint8) bool { return label != phantom.LabelOutside }}},
		"thyroid": {phantom.Thyroid(), phantom.Grid{Height: 256, Width: 288, MMPerPx: 0.15},
			sweRule{2, 28, 26, 0, func(label uint8) bool { return label != phantom.LabelOutside && label != phantom.LabelIsthmus }}},
	}
}

// imageGrid is the recipe's stored image.
func (r Recipe) imageGrid() phantom.Grid { return organs()[r.Organ].grid }

// ScaleMaxKPa is the display limit of the recipe's scanner, kPa; 0 if there is no such scanner.
func (r Recipe) ScaleMaxKPa() float64 {
	s, err := scanner.Named(r.Scanner)
	if err != nil {
		return 0
	}
	return s.ScaleMaxKPa
}

// patients draws the recipe's patients.
func (r Recipe) patients() ([]*phantom.Patient, error) {
	patients := make([]*phantom.Patient, r.Patients)
	population := organs()[r.Organ].recipe
	for i := range patients {
		var err error
		if patients[i], err = population.Patient(r.Seed, i); err != nil {
			return nil, fmt.Errorf("simulate patient %d: %w", i+1, err)
		}
	}
	return patients, nil
}

// planes lists the numbers of the planes that are scanned of each patient.
func (r Recipe) planes() []int {
	all := organs()[r.Organ].recipe.Planes
	numbers := make([]int, len(all.Positions))
	for i := range numbers {
		numbers[i] = i
	}
	if r.Planes == 0 {
		return numbers
	}
	slices.SortStableFunc(numbers, func(a, b int) int {
		return cmp.Compare(math.Abs(all.Positions[a]), math.Abs(all.Positions[b]))
	})
	numbers = numbers[:r.Planes]
	slices.Sort(numbers)
	return numbers
}

// Validate refuses an impossible recipe by name.
func (r Recipe) Validate() error {
	body, ok := organs()[r.Organ]
	if !ok {
		return fmt.Errorf("simulate: organ %q is unknown; choose one of %s", r.Organ, strings.Join(slices.Sorted(maps.Keys(organs())), ", "))
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
	if most := len(body.recipe.Planes.Names); r.Planes < 0 || r.Planes > most {
		return fmt.Errorf("simulate: %d planes a patient; give 1 to %d, or 0 for all", r.Planes, most)
	}
	if flat := s.RadiusMM > 1e3; flat != (r.Organ == "thyroid") {
		return fmt.Errorf("simulate: scanner %q does not reach a %s; choose %s", r.Scanner, r.Organ, strings.Join(scannersFor(r.Organ), " or "))
	}
	return nil
}

// scannersFor lists the scanners with SWE whose probe fits the organ: a flat array a neck, a curved one the rectum.
func scannersFor(organ string) []string {
	var names []string
	for _, name := range scanner.Names() {
		if s, err := scanner.Named(name); err == nil && s.HasSWE && (s.RadiusMM > 1e3) == (organ == "thyroid") {
			names = append(names, name)
		}
	}
	return names
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
	patients, err := r.patients()
	if err != nil {
		return nil, err
	}
	planes := r.planes()
	rows := make([]Row, len(patients)*len(planes))
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
	group, work := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k := range rows {
		group.Go(func() error {
			if work.Err() != nil {
				return context.Cause(work)
			}
			patient, plane, split := patients[k/len(planes)], planes[k%len(planes)], Train
			if k/len(planes) >= r.Patients-r.Test {
				split = Test
			}
			row, err := simulatePlane(work, dir, r, device, patient, plane, split)
			if err != nil {
				return fmt.Errorf("simulate %s, plane %s: %w", patient.ID, patient.Planes()[plane], err)
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
	text, err := card(ctx, r, device, c)
	if err != nil {
		return nil, err
	}
	return c, c.Seal(text)
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
	name, grid := patient.Planes()[plane], r.imageGrid()
	if sum, err := hashFile(filepath.Join(dir, planeFile(patient.ID, name))); err == nil {
		row := Row{Patient: patient.ID, Plane: name, Split: split, Organ: r.Organ, Scanner: device.Name,
			MMPerPx: grid.MMPerPx, ScaleMaxKPa: device.ScaleMaxKPa, Source: Simulated, SHA256: sum}
		if _, err := (&Cohort{Dir: dir}).Plane(row); err == nil {
			return row, nil
		}
	}
	section, err := patient.Section(ctx, plane, grid)
	if err != nil {
		return Row{}, err
	}
	p, err := Scan(ctx, device, device.Exam(Stream(r.Seed, "exam/"+patient.ID).Uint64()), section)
	if err != nil {
		return Row{}, err
	}
	return storePlane(dir, p, split)
}

// Scan images a section with a scanner: B-mode and SWE, side by side.
func Scan(ctx context.Context, device scanner.Scanner, exam scanner.Exam, section *phantom.Section) (*Plane, error) {
	medium := Medium(section)
	echo, err := device.BMode(ctx, medium, exam, section.Plane)
	if err != nil {
		return nil, fmt.Errorf("B-mode: %w", err)
	}
	swe, err := device.SWE(ctx, medium, exam, organs()[section.Organ].swe.box(section, exam.Seed), section.Plane)
	if err != nil {
		return nil, fmt.Errorf("SWE: %w", err)
	}
	return &Plane{Patient: section.Patient, Name: section.Plane, Organ: section.Organ, Scanner: device.Name, Source: Simulated,
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

// box is where the operator puts the SWE box in a section.
func (rule sweRule) box(s *phantom.Section, seed uint64) scanner.Box {
	h, w, margin := s.Grid.Height, s.Grid.Width, int(rule.marginMM/s.Grid.MMPerPx)
	box := scanner.Box{Top: h, Left: w}
	for i, label := range s.Labels {
		if rule.around(label) {
			y, x := i/w, i%w
			box.Top, box.Bottom = min(box.Top, y), max(box.Bottom, y+1)
			box.Left, box.Right = min(box.Left, x), max(box.Right, x+1)
		}
	}
	middle := (box.Left + box.Right) / 2
	half := min((box.Right-box.Left)/2+margin, int(rule.maxWidthMM/2/s.Grid.MMPerPx))
	box.Left, box.Right = middle-half, middle+half
	switch rng := Stream(seed, "swe box/"+s.Plane); {
	case rng.Float64() >= rule.partial:
	case rng.IntN(2) == 0:
		box.Right = middle + margin
	default:
		box.Left = middle - margin
	}
	box = scanner.Box{Top: max(0, box.Top-margin), Left: max(0, box.Left), Bottom: min(h, box.Bottom+margin), Right: min(w, box.Right)}
	box.Bottom = int(min(float64(box.Bottom), float64(box.Top)+rule.maxDepthMM/s.Grid.MMPerPx))
	return box
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
