package data

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"elastography/data/scanner"
)

// Rescan images simulated planes of a cohort again, B-mode only, in an examination of its own: other gain, other time-gain
// sliders, other depth, other speckle. It is P2's "single B-mode acquisition" (taken alone, not beside an elastogram) and,
// with a device that has no SWE, the test on such a device. Everything but B-mode stays what the cohort's scanner showed,
// so that the synthetic elastogram can still be compared with a measured one, which no clinic can do.
func (c *Cohort) Rescan(ctx context.Context, planes []*Plane, scannerName string) ([]*Plane, error) {
	text, err := os.ReadFile(filepath.Join(c.Dir, "recipe.json"))
	if err != nil {
		return nil, fmt.Errorf("rescan %s: %w; only simulated cohorts can be scanned again", c.Dir, err)
	}
	var r Recipe
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("rescan: %s: %w: %v", filepath.Join(c.Dir, "recipe.json"), ErrDamaged, err)
	}
	device, err := scanner.Named(scannerName)
	if err != nil {
		return nil, fmt.Errorf("rescan: %w", err)
	}
	patients, err := r.patients()
	if err != nil {
		return nil, err
	}
	out := make([]*Plane, len(planes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k, p := range planes {
		group.Go(func() error {
			for _, patient := range patients {
				if patient.ID != p.Patient {
					continue
				}
				for i, name := range patient.Planes() {
					if name != p.Name {
						continue
					}
					section, err := patient.Section(ctx, i, r.imageGrid())
					if err != nil {
						return fmt.Errorf("rescan %s: %w", p.ID(), err)
					}
					exam := device.Exam(Stream(r.Seed, "rescan/"+scannerName+"/"+p.Patient).Uint64())
					echo, err := device.BMode(ctx, Medium(section), exam, name)
					if err != nil {
						return fmt.Errorf("rescan %s: %w", p.ID(), err)
					}
					again := *p
					again.Scanner, again.BMode = scannerName, echo.Pix
					out[k] = &again
					return nil
				}
			}
			return fmt.Errorf("rescan: the recipe of %s makes no plane %s", c.Dir, p.ID())
		})
	}
	return out, group.Wait()
}
