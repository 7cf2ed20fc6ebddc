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
	// Cohorts are one, or several whose patients are judged together as those of one (data.CheckPool).
	Cohorts []*data.Cohort
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

// Run measures the scanners of the simulated planes and the cohorts themselves, step by step; dir keeps the finished
// steps. Rows that need what an imported cohort has not say so. A damaged plane is an error that names it.
func Run(ctx context.Context, dir string, o Options) (*Report, error) {
	if len(o.Cohorts) == 0 {
		return nil, fmt.Errorf("validate %s: no cohort", dir)
	}
	if err := data.CheckPool(o.Cohorts); err != nil {
		return nil, fmt.Errorf("validate %s: %w", dir, err)
	}
	steps, err := o.steps()
	if err != nil {
		return nil, fmt.Errorf("validate %s: %w", dir, err)
	}
	r := &Report{Title: o.organ(), Simulated: slices.ContainsFunc(o.Cohorts, (*data.Cohort).Simulated), Part: Part{Curves: map[string]Curve{}}}
	for k, s := range steps {
		if o.OnStep != nil {
			o.OnStep(k, len(steps), s.group+": "+s.name)
		}
		part, err := o.part(ctx, dir, s)
		if err != nil {
			return nil, fmt.Errorf("validate %s: %s: %s: %w", dir, s.group, s.name, err)
		}
		for _, row := range part.Rows {
			row.Group = s.group
			r.Rows = append(r.Rows, row)
		}
		for name, c := range part.Curves {
			r.Curves[s.group+"/"+name] = c
		}
		r.ROC = append(r.ROC, part.ROC...)
		r.Alone = append(r.Alone, part.Alone...)
	}
	if o.OnStep != nil {
		o.OnStep(len(steps), len(steps), "done")
	}
	return r, nil
}

// organ is that of every cohort.
func (o Options) organ() string { return o.Cohorts[0].Rows[0].Organ }

// steps lists what is measured of these cohorts.
func (o Options) steps() ([]step, error) {
	var steps []step
	var seen []string
	for _, c := range o.Cohorts {
		for _, row := range c.Rows {
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
	}
	steps = append(steps, step{"cohort", "planes", o.planes}, step{"cohort", "leakage", o.leakage})
	if len(o.Cohorts) > 1 {
		steps = append(steps, step{"cohort", "each cohort", o.alone})
	}
	return steps, nil
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

// keyOf is what a part depends on: the program and, for the cohorts' own rows, their files' hashes.
func (o Options) keyOf(s step) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s", o.Key, s.group, s.name)
	if s.group == "cohort" {
		for _, c := range o.Cohorts {
			fmt.Fprintf(h, "\x00%s", c.Name())
			for _, name := range []string{"manifest.csv", "foci.csv", "recipe.json"} {
				text, err := os.ReadFile(filepath.Join(c.Dir, name))
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					return "", err
				}
				fmt.Fprintf(h, "\x00%d\x00%s", len(text), text)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
