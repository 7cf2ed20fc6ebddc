package validation

import (
	"context"
	"errors"
	"slices"

	"elastography/data"
)

// alone measures each cohort by itself, of what the table of single cohorts shows.
func (o Options) alone(ctx context.Context) (Part, error) {
	var p Part
	for _, c := range o.Cohorts {
		one := Options{Cohorts: []*data.Cohort{c}}
		planes, err := one.planes(ctx)
		if err != nil {
			return Part{}, err
		}
		rows := planes.Rows
		switch again, err := one.redraw(); {
		case err == nil:
			rows = append(rows, population(one.organ(), again[c].own.Patients)...)
		case !errors.Is(err, data.ErrNoRecipe):
			return Part{}, err
		}
		rows = slices.DeleteFunc(rows, func(r Row) bool { return r.Heading == "" })
		p.Alone = append(p.Alone, Alone{c.Name(), len(c.Patients(data.Train)) + len(c.Patients(data.Test)), rows})
	}
	return p, nil
}
