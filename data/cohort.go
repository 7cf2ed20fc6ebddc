package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

// Split says what a patient is for. A patient belongs to exactly one.
type Split string

// The splits of a cohort. Validation patients are taken from Train by the training itself.
const (
	Train Split = "train"
	Test  Split = "test"
)

// Row is one plane's line in manifest.csv.
type Row struct {
	Patient, Plane string
	Split          Split
	Organ, Scanner string
	MMPerPx        float64 // mm
	ScaleMaxKPa    float64 // kPa
	Source         string  // Simulated or Imported
	SHA256         string  // of the plane's file
}

// ID names the row's plane, e.g. "p007/mid".
func (r Row) ID() string { return r.Patient + "/" + r.Plane }

// FocusRow is one tumour focus's line in foci.csv, as histopathology reports it.
type FocusRow struct {
	Patient    string
	Focus      uint8 // its value in the label maps
	Zone       string
	GradeGroup int    // ISUP grade group 1..5; 0 for a tumour that is not graded so, as in the thyroid
	Gleason    string // phantom.NotGraded with grade group 0
	DiameterMM float64
}

// Cohort is a folder of planes with manifest.csv, foci.csv and card.md.
type Cohort struct {
	Dir  string
	Rows []Row
	Foci []FocusRow
}

// ErrLeak marks a cohort in which one patient is in more than one split.
var ErrLeak = errors.New("patient leak")

// ErrNoCohort marks a folder that holds none.
var ErrNoCohort = errors.New("no manifest.csv there")

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Open reads a cohort's manifest and foci and refuses a patient leak, a repeated plane or a name that leaves the folder.
// The planes themselves are read by Load.
func Open(dir string) (*Cohort, error) {
	rows, err := readManifest(filepath.Join(dir, "manifest.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open cohort %s: %w; make one with `go run . cohort --out %s` or `go run . import`", dir, ErrNoCohort, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open cohort %s: %w", dir, err)
	}
	foci, err := readFoci(filepath.Join(dir, "foci.csv"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open cohort %s: %w", dir, err)
	}
	c := &Cohort{Dir: dir, Rows: rows, Foci: foci}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("open cohort %s: %w", dir, err)
	}
	return c, nil
}

func (c *Cohort) check() error {
	if len(c.Rows) == 0 {
		return errors.New("manifest.csv lists no plane")
	}
	split := make(map[string]Split)
	seen := make(map[string]bool)
	for i, r := range c.Rows {
		for _, name := range []string{r.Patient, r.Plane} {
			if !namePattern.MatchString(name) {
				return fmt.Errorf("manifest.csv line %d: name %q is not letters, digits, '.', '_' or '-'", i+2, name)
			}
		}
		if seen[r.ID()] {
			return fmt.Errorf("manifest.csv line %d: plane %s is listed twice", i+2, r.ID())
		}
		seen[r.ID()] = true
		if r.Split != Train && r.Split != Test {
			return fmt.Errorf("manifest.csv line %d: split %q is neither %q nor %q", i+2, r.Split, Train, Test)
		}
		if s, ok := split[r.Patient]; ok && s != r.Split {
			return fmt.Errorf("%w: patient %s is in %q and in %q; give each patient one split in manifest.csv", ErrLeak, r.Patient, s, r.Split)
		}
		split[r.Patient] = r.Split
	}
	return nil
}

// Patients lists the patients of a split in the manifest's order.
func (c *Cohort) Patients(split Split) []string {
	var patients []string
	for _, r := range c.Rows {
		if r.Split == split && !slices.Contains(patients, r.Patient) {
			patients = append(patients, r.Patient)
		}
	}
	return patients
}

// Simulated tells whether any plane of the cohort is simulated: then every number from it must say so.
func (c *Cohort) Simulated() bool {
	return slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Source == Simulated })
}

// Load reads the planes of a split and verifies each file against the manifest. A damaged plane is an error that
// names it; with skipDamaged it is left out and named in skipped instead.
func (c *Cohort) Load(ctx context.Context, split Split, skipDamaged bool) (planes []*Plane, skipped []error, err error) {
	var rows []Row
	for _, r := range c.Rows {
		if r.Split == split {
			rows = append(rows, r)
		}
	}
	read, damage := make([]*Plane, len(rows)), make([]error, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range rows {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p, err := c.Plane(r)
			switch {
			case err == nil:
				read[i] = p
			case skipDamaged && (errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist)):
				damage[i] = err
			default:
				return fmt.Errorf("load cohort: %w; restore the file, simulate the cohort again, or pass --skip-damaged", err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i := range rows {
		if damage[i] != nil {
			skipped = append(skipped, damage[i])
		} else {
			planes = append(planes, read[i])
		}
	}
	if len(planes) == 0 {
		return nil, skipped, fmt.Errorf("load cohort %s: no readable plane in split %q", c.Dir, split)
	}
	return planes, skipped, nil
}

// Plane reads one row's plane and verifies its hash.
func (c *Cohort) Plane(r Row) (*Plane, error) {
	path := filepath.Join(c.Dir, planeFile(r.Patient, r.Plane))
	sum, err := hashFile(path)
	if err != nil {
		return nil, err
	}
	if sum != r.SHA256 {
		return nil, fmt.Errorf("%s: %w: SHA-256 %.12s… differs from the manifest's %.12s…", path, ErrDamaged, sum, r.SHA256)
	}
	p := &Plane{Patient: r.Patient, Name: r.Plane, Organ: r.Organ, Scanner: r.Scanner, Source: r.Source,
		MMPerPx: r.MMPerPx, ScaleMaxKPa: r.ScaleMaxKPa}
	if err := p.readMaps(path); err != nil {
		return nil, err
	}
	return p, nil
}

// Save writes planes as a cohort: the planes first, then foci.csv and card.md, the manifest last, so that a cohort
// with a manifest is whole. split gives each patient's split.
func Save(dir string, planes []*Plane, split func(patient string) Split, foci []FocusRow, card string) (*Cohort, error) {
	c := &Cohort{Dir: dir, Foci: foci}
	for _, p := range planes {
		r, err := storePlane(dir, p, split(p.Patient))
		if err != nil {
			return nil, fmt.Errorf("save cohort %s: %w", dir, err)
		}
		c.Rows = append(c.Rows, r)
	}
	return c, c.Seal(card)
}

// storePlane writes one plane's file and returns its manifest row.
func storePlane(dir string, p *Plane, split Split) (Row, error) {
	if err := p.Check(); err != nil {
		return Row{}, err
	}
	path := filepath.Join(dir, planeFile(p.Patient, p.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Row{}, err
	}
	if err := p.write(path); err != nil {
		return Row{}, err
	}
	sum, err := hashFile(path)
	if err != nil {
		return Row{}, err
	}
	return Row{Patient: p.Patient, Plane: p.Name, Split: split, Organ: p.Organ, Scanner: p.Scanner, MMPerPx: p.MMPerPx,
		ScaleMaxKPa: p.ScaleMaxKPa, Source: p.Source, SHA256: sum}, nil
}

// Seal makes a cohort of planes that are in Dir already, listed in Rows: it checks them and writes foci.csv, card.md
// and, last, manifest.csv, so that a cohort with a manifest is whole.
func (c *Cohort) Seal(card string) error {
	sort.SliceStable(c.Rows, func(i, j int) bool { return c.Rows[i].Patient < c.Rows[j].Patient })
	if err := c.check(); err != nil {
		return fmt.Errorf("save cohort %s: %w", c.Dir, err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{"foci.csv", fociCSV(c.Foci)}, {"card.md", []byte(card)}, {"manifest.csv", manifestCSV(c.Rows)}} {
		if err := renameio.WriteFile(filepath.Join(c.Dir, f.name), f.data, 0o644); err != nil {
			return fmt.Errorf("save cohort %s: %w", c.Dir, err)
		}
	}
	return nil
}

func hashFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// PlaneAt reads a plane from its file within a cohort, e.g. "cohort/p041/mid.npz".
func PlaneAt(path string) (*Plane, error) {
	dir := filepath.Dir(filepath.Dir(path))
	c, err := Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is no plane of a cohort: %w", path, err)
	}
	patient, name := filepath.Base(filepath.Dir(path)), strings.TrimSuffix(filepath.Base(path), ".npz")
	for _, r := range c.Rows {
		if r.Patient == patient && r.Plane == name {
			return c.Plane(r)
		}
	}
	return nil, fmt.Errorf("%s: the manifest of %s lists no plane %s/%s", path, dir, patient, name)
}
