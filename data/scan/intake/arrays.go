package intake

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/scan"
)

// volume is what a row's arrays hold: one plane or a stack of them.
type volume struct {
	bmode, swe, labels [][]float32
	height, width      int
	mmPerPx            float64
}

// arrays makes planes of arrays: named by a table, or an NPZ with bmode and
// swe_kpa. NaN and 0 kPa are pixels without a reading.
func (im *Importer) arrays(row archive.Row) ([]*data.Plane, error) {
	v, err := readVolume(row)
	if err != nil {
		return nil, err
	}
	opt, err := options(row.Args)
	if err != nil {
		return nil, &archive.Refusal{Reason: err.Error(), Remedy: "mend the table or the flag"}
	}
	if opt.MMPerPx == 0 {
		opt.MMPerPx = v.mmPerPx
	}
	switch {
	case opt.MMPerPx == 0:
		return nil, &archive.Refusal{Reason: "the pixel size is unknown", Remedy: "give it in mm: column mm_per_px or --mm-per-px"}
	case opt.ScaleMaxKPa == 0:
		return nil, &archive.Refusal{Reason: "the scale maximum is unknown, so no reading can be told from a censored one", Remedy: "give the top of the scanner's colour bar in kPa: column scale_max_kpa or --scale-max"}
	}
	name, err := im.contentName(row.Inputs[0])
	if err != nil {
		return nil, err
	}
	grey, err := greyScale(v.bmode)
	if err != nil {
		return nil, err
	}
	var planes []*data.Plane
	for k := range v.bmode {
		p := newPlane(row.Args, row.Args["patient"], name)
		if len(v.bmode) > 1 {
			p.Name += fmt.Sprintf("-%03d", k)
		}
		p.Height, p.Width, p.MMPerPx, p.ScaleMaxKPa = v.height, v.width, opt.MMPerPx, opt.ScaleMaxKPa
		p.BMode = grey(v.bmode[k])
		if err := fillStiffness(p, v.swe[k], row.Args["unit"]); err != nil {
			return nil, err
		}
		if v.labels != nil {
			if p.Labels, err = labels(v.labels[k]); err != nil {
				return nil, err
			}
		}
		planes = append(planes, p)
	}
	return planes, nil
}

// readVolume reads the arrays that a row names and checks that they fit.
func readVolume(row archive.Row) (v volume, err error) {
	type wanted struct {
		what, path, name string
		into             *[][]float32
	}
	var list []wanted
	if row.Args["bmode"] == "" { // one NPZ
		path := row.Inputs[0]
		names, err := scan.ArrayNames(path)
		if err != nil {
			return v, badFile(path, err)
		}
		has := func(name string) bool {
			for _, n := range names {
				if n == name {
					return true
				}
			}
			return false
		}
		if !has("bmode") || !has("swe_kpa") {
			return v, &archive.Refusal{Reason: fmt.Sprintf("it holds the arrays %s, not bmode and swe_kpa", strings.Join(names, ", ")),
				Remedy: "list it in a CSV table as bmode file.npz#array, swe file.npz#array"}
		}
		list = []wanted{{"bmode", path, "bmode", &v.bmode}, {"swe_kpa", path, "swe_kpa", &v.swe}}
		if has("labels") {
			list = append(list, wanted{"labels", path, "labels", &v.labels})
		}
	} else {
		for i, column := range []string{"bmode", "swe", "labels"} {
			if i < len(row.Inputs) {
				name := strings.TrimPrefix(row.Args[column], "#")
				list = append(list, wanted{column, row.Inputs[i], name, []*[][]float32{&v.bmode, &v.swe, &v.labels}[i]})
			}
		}
	}
	for _, w := range list {
		a, err := scan.ReadArray(w.path, w.name)
		if err != nil {
			return v, badFile(w.path, fmt.Errorf("%s: %w", w.what, err))
		}
		planes, h, width, err := a.Planes()
		if err != nil {
			return v, badFile(w.path, fmt.Errorf("%s: %w", w.what, err))
		}
		if v.height == 0 {
			v.height, v.width = h, width
		}
		if h != v.height || width != v.width || v.bmode != nil && len(planes) != len(v.bmode) {
			return v, &archive.Refusal{Reason: fmt.Sprintf("%s is %d of %d x %d, the B-mode %d of %d x %d", w.what, len(planes), h, width, len(v.bmode), v.height, v.width),
				Remedy: "bring all arrays to the B-mode's pixels"}
		}
		if a.LateralMMPerPx > 0 && v.mmPerPx == 0 {
			if math.Abs(a.DepthMMPerPx/a.LateralMMPerPx-1) > 0.01 {
				return v, &archive.Refusal{Reason: fmt.Sprintf("its pixels are %.4f mm deep and %.4f mm wide", a.DepthMMPerPx, a.LateralMMPerPx), Remedy: "resample it to square pixels"}
			}
			v.mmPerPx = a.LateralMMPerPx
		}
		*w.into = planes
	}
	return v, nil
}

// greyScale decides once for a stack whether grey levels are 0 to 255 or 0 to 1.
func greyScale(stack [][]float32) (func([]float32) []uint8, error) {
	top := float32(0)
	for _, plane := range stack {
		for i, v := range plane {
			if !(v >= 0 && v <= 255) {
				return nil, &archive.Refusal{Reason: fmt.Sprintf("the B-mode's value %d is %g", i, v), Remedy: "give grey levels 0 to 255, or 0 to 1"}
			}
			top = max(top, v)
		}
	}
	factor := float32(1)
	if top <= 1 {
		factor = 255
	}
	return func(plane []float32) []uint8 {
		out := make([]uint8, len(plane))
		for i, v := range plane {
			out[i] = uint8(v*factor + 0.5)
		}
		return out
	}, nil
}

// fillStiffness brings readings to kPa, censored at the display limit. A speed c
// in m/s becomes E = 3 rho c^2 with rho = 1000 kg/m3.
func fillStiffness(p *data.Plane, swe []float32, unit string) error {
	n := p.Height * p.Width
	p.SWEKPa, p.Saturated, p.Confidence = make([]float32, n), make([]bool, n), make([]float32, n)
	limit := float32(p.ScaleMaxKPa)
	for i, v := range swe {
		if unit == "m/s" {
			v = 3 * v * v
		}
		switch {
		case v != v || v == 0:
			p.SWEKPa[i] = float32(math.NaN())
		case v < 0:
			return &archive.Refusal{Reason: fmt.Sprintf("the stiffness at row %d, column %d is %g kPa", i/p.Width, i%p.Width, v), Remedy: "mark pixels without a reading as NaN"}
		case v >= limit:
			p.SWEKPa[i], p.Saturated[i], p.Confidence[i] = limit, true, 1
		default:
			p.SWEKPa[i], p.Confidence[i] = v, 1
		}
	}
	return nil
}

func labels(values []float32) ([]uint8, error) {
	out := make([]uint8, len(values))
	for i, v := range values {
		if !(v >= 0 && v <= 255) || v != float32(uint8(v)) {
			return nil, &archive.Refusal{Reason: "label " + strconv.FormatFloat(float64(v), 'g', -1, 32) + " is no whole number from 0 to 255", Remedy: "save labels as whole numbers"}
		}
		out[i] = uint8(v)
	}
	return out, nil
}
