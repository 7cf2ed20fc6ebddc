package validation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/scanner"
)

// Options says what is validated.
type Options struct {
	Cohort *data.Cohort
	// Key stands for the program that measures; parts that another one left are measured again.
	Key string
	// OnStep, which may be nil, is told before each step and once after the last.
	OnStep func(done, total int, what string)

	// device stands in for the scanner in tests.
	device func(scanner.Scanner) Device
}

// partsDir holds the finished parts of a validation under the folder it writes to, so that it goes on where it stopped.
const partsDir = ".validation"

// step measures one part.
type step struct {
	group, name string
	measure     func(context.Context) (Part, error)
}

// Run measures the scanners of the cohort's simulated planes and the cohort itself, step by step; dir keeps the finished
// steps. Rows that need what an imported cohort has not say so. A damaged plane is an error that names it.
func Run(ctx context.Context, dir string, o Options) (*Report, error) {
	steps, err := o.steps()
	if err != nil {
		return nil, fmt.Errorf("validate %s: %w", o.Cohort.Dir, err)
	}
	r := &Report{Title: o.Cohort.Rows[0].Organ, Simulated: o.Cohort.Simulated(), Part: Part{Curves: map[string]Curve{}}}
	for k, s := range steps {
		if o.OnStep != nil {
			o.OnStep(k, len(steps), s.group+": "+s.name)
		}
		part, err := o.part(ctx, dir, s)
		if err != nil {
			return nil, fmt.Errorf("validate %s: %s: %s: %w", o.Cohort.Dir, s.group, s.name, err)
		}
		for _, row := range part.Rows {
			row.Group = s.group
			r.Rows = append(r.Rows, row)
		}
		for name, c := range part.Curves {
			r.Curves[s.group+"/"+name] = c
		}
		r.ROC = append(r.ROC, part.ROC...)
	}
	if o.OnStep != nil {
		o.OnStep(len(steps), len(steps), "done")
	}
	return r, nil
}

// steps lists what is measured of this cohort.
func (o Options) steps() ([]step, error) {
	var steps []step
	var seen []string
	for _, row := range o.Cohort.Rows {
		if row.Source != data.Simulated || slices.Contains(seen, row.Scanner) {
			continue
		}
		seen = append(seen, row.Scanner)
		s, err := scanner.Named(row.Scanner)
		if err != nil {
			return nil, err
		}
		steps = append(steps, o.physics(s)...)
	}
	return append(steps, step{"cohort", "planes", o.planes}, step{"cohort", "leakage", o.leakage}), nil
}

// physics lists the measurements of a scanner on purpose-made phantoms.
func (o Options) physics(s scanner.Scanner) []step {
	b := bench{s: s, device: o.device}
	if b.device == nil {
		b.device = func(s scanner.Scanner) Device { return s }
	}
	group := "scanner " + s.Name
	steps := []step{{group, "speckle", b.speckle}, {group, "grain", b.grain}, {group, "targets", b.targets}, {group, "attenuation", b.attenuation}}
	if s.HasSWE {
		steps = append(steps, step{group, "linearity", b.linearity}, step{group, "inclusions", b.inclusions}, step{group, "depth", b.depths})
	}
	return steps
}

// part finds a step's result or measures it.
func (o Options) part(ctx context.Context, dir string, s step) (Part, error) {
	type stored struct {
		Key string
		Part
	}
	key, err := o.keyOf(s)
	if err != nil {
		return Part{}, err
	}
	path := filepath.Join(dir, partsDir, fmt.Sprintf("%x.json", sha256.Sum256([]byte(s.group+"/"+s.name)))[:16]+".json")
	if text, err := os.ReadFile(path); err == nil {
		var old stored
		if json.Unmarshal(text, &old) == nil && old.Key == key {
			return old.Part, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return Part{}, err
	}
	part, err := s.measure(ctx)
	if err != nil {
		return Part{}, err
	}
	text, err := json.Marshal(stored{key, part})
	if err != nil {
		return Part{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Part{}, err
	}
	return part, renameio.WriteFile(path, text, 0o644)
}

// keyOf is what a part depends on: the program and, for the cohort's own rows, its files' hashes.
func (o Options) keyOf(s step) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s", o.Key, s.group, s.name)
	if s.group == "cohort" {
		for _, name := range []string{"manifest.csv", "foci.csv", "recipe.json"} {
			text, err := os.ReadFile(filepath.Join(o.Cohort.Dir, name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", err
			}
			fmt.Fprintf(h, "\x00%d\x00%s", len(text), text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
