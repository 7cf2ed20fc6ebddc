// Package trainings makes many independent trainings on one cohort — the folds of a cross-validation, the members of an
// ensemble, ablations — rows of package archive: whoever calls archive's Do, here or on another machine, gets the same
// finished runs.
//
// It owns which trainings there are and the unit of work that does one, from the cohort's manifest to a whole run folder
// (sswe.Run) with weights, history, predictions and metrics. It never implements a training or a metric (package sswe) and
// never decides who runs a row (package archive, the nested module beam).
package trainings

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"

	"elastography/data"
	"elastography/data/archive"
	"elastography/sswe"
	"elastography/sswe/followup"
)

// Plan says which trainings to do on a cohort.
type Plan struct {
	Cohort    string      // folder, under the same path on every machine
	Config    sswe.Config // of every training, but for its one change
	Folds     int         // networks that each leave out a share of all patients and are tested on it; 0: none
	KeepTest  bool        // folds leave the cohort's test patients out altogether
	Members   int         // networks of other seeds on the training patients, tested on the test patients; 0: none
	Ablations bool        // the follow-up study's changes of network, loss and training, tested on the test patients
}

// Rows lists the trainings. Fold k of a plan without KeepTest is fold k of sswe.CrossValidation with the same configuration, in
// its folder: a cross-validation of the same folder finds it done.
func (p Plan) Rows() ([]archive.Row, error) {
	if err := p.Config.Validate(); err != nil {
		return nil, err
	}
	if p.Folds < 0 || p.Folds == 1 || p.Members < 0 {
		return nil, fmt.Errorf("trainings: %d folds and %d members; give 0, or 2 folds and 1 member at least", p.Folds, p.Members)
	}
	if _, err := data.Open(p.Cohort); err != nil {
		return nil, err
	}
	var rows []archive.Row
	var errs []error
	add := func(key, run string, c sswe.Config, more map[string]string) {
		text, err := json.Marshal(c)
		errs = append(errs, err)
		row := archive.Row{Key: key, Inputs: []string{filepath.Join(p.Cohort, "manifest.csv"), filepath.Join(p.Cohort, "foci.csv")},
			Args: map[string]string{argConfig: string(text), argRun: run}}
		for name, value := range more {
			row.Args[name] = value
		}
		rows = append(rows, row)
	}
	for k := 1; k <= p.Folds; k++ {
		add(fmt.Sprintf("fold-%02d-of-%02d", k, p.Folds), fmt.Sprintf("folds/%02d", k), p.Config,
			map[string]string{argFold: strconv.Itoa(k), argFolds: strconv.Itoa(p.Folds), argKeepTest: strconv.FormatBool(p.KeepTest)})
	}
	for k := range p.Members {
		c := p.Config
		c.Seed += uint64(k)
		add(fmt.Sprintf("member-%02d", k+1), fmt.Sprintf("members/%02d", k+1), c, nil)
	}
	if p.Ablations {
		for _, a := range ablations(p.Config) {
			add("ablation-"+a.Name, "ablations/"+a.Name, a.Config, nil)
		}
	}
	if len(rows) == 0 {
		errs = append(errs, errors.New("trainings: none asked for; give folds, members or ablations"))
	}
	return rows, errors.Join(errs...)
}

// ablations are the follow-up study's arms that see the same patients and images as its reference, which comes first.
func ablations(c sswe.Config) (arms []followup.Arm) {
	all := (&followup.Study{Base: c}).Arms()
	for _, a := range all {
		if reflect.DeepEqual(a.Recipes, all[0].Recipes) && a.Patients == 0 && a.View == followup.Images {
			arms = append(arms, a)
		}
	}
	return arms
}

// The arguments of a row.
const (
	argConfig   = "config" // JSON
	argRun      = "run"    // the run's folder below Out, with slashes
	argFold     = "fold"   // from 1; without it the cohort's own split holds
	argFolds    = "folds"
	argKeepTest = "keep_test"
)
