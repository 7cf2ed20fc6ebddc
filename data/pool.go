package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenPool opens the cohort in dir or, where dir is none itself, those in the folders below it, by name: patients who are
// to be described as one cohort. It refuses an unfinished simulation, cohorts of different organs, and a plane that two of
// them hold: a patient counted twice would make every interval too narrow.
func OpenPool(dir string) ([]*Cohort, error) {
	c, none := Open(dir)
	if none == nil {
		return []*Cohort{c}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil || !errors.Is(none, ErrNoCohort) {
		return nil, none
	}
	var cohorts []*Cohort
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			continue
		}
		c, err := Open(path)
		switch {
		case err == nil:
			cohorts = append(cohorts, c)
		case !errors.Is(err, ErrNoCohort):
			return nil, fmt.Errorf("open cohorts %s: %w", dir, err)
		default:
			if _, err := os.Stat(filepath.Join(path, "recipe.json")); err == nil {
				return nil, fmt.Errorf("open cohorts %s: the simulation of %s is not finished; run its command again or delete the folder", dir, e.Name())
			}
		}
	}
	if len(cohorts) == 0 {
		return nil, none
	}
	if err := CheckPool(cohorts); err != nil {
		return nil, fmt.Errorf("open cohorts %s: %w", dir, err)
	}
	return cohorts, nil
}

// CheckPool refuses cohorts that cannot be described as one.
func CheckPool(cohorts []*Cohort) error {
	holder, named := make(map[string]string), make(map[string]bool) // by SHA-256; by Name
	for _, c := range cohorts {
		if named[c.Name()] {
			return fmt.Errorf("two cohorts are called %s; rename the folder of one", c.Name())
		}
		named[c.Name()] = true
		for _, r := range c.Rows {
			if organ := cohorts[0].Rows[0].Organ; r.Organ != organ {
				return fmt.Errorf("%s shows %s and %s shows %s; pool cohorts of one organ", cohorts[0].Name(), organ, c.Name(), r.Organ)
			}
			if other, seen := holder[r.SHA256]; seen && other != c.Name() {
				return fmt.Errorf("plane %s of %s is in %s, too; pool each patient once", r.ID(), c.Name(), other)
			}
			holder[r.SHA256] = c.Name()
		}
	}
	return nil
}

// Name is the cohort's among others: its folder's.
func (c *Cohort) Name() string { return filepath.Base(c.Dir) }

// inPool names a patient among those of all cohorts described together; within one cohort the name stays.
func inPool(cohorts []*Cohort, c *Cohort, patient string) string {
	if len(cohorts) == 1 {
		return patient
	}
	return c.Name() + "/" + patient
}

// FromPool finds the cohort and the patient that a name of a Region stands for.
func FromPool(cohorts []*Cohort, patient string) (*Cohort, string) {
	for _, c := range cohorts {
		if own, found := strings.CutPrefix(patient, inPool(cohorts, c, "")); found {
			return c, own
		}
	}
	return nil, patient
}
