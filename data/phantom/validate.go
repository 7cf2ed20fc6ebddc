package phantom

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Validate refuses a recipe that cannot be drawn. The error names the parameter as it is written in
// Go (such as Tissues.PZ.EKPa), its value, and what would do instead.
func (r Recipe) Validate() error {
	parts, rules := []part{{"Planes", r.Planes}, {"Latents", r.Latents}, {"Stone", r.Stone}, {"Registration", r.Registration}, {"Beam", r.Beam}}, r.rules()
	switch r.Organ {
	case organProstate:
		parts = append(parts, part{"Anatomy", r.Anatomy}, part{"Tissues", r.Tissues}, part{"Tumours", r.Tumours}, part{"Confounders", r.Confounders})
		rules = append(rules, r.prostateRules()...)
	case organThyroid:
		parts = append(parts, part{"Neck", r.Neck})
		rules = append(rules, r.neckRules()...)
	default:
		return fmt.Errorf("recipe: Organ is %q; only %q and %q can be drawn", r.Organ, organProstate, organThyroid)
	}
	for _, part := range parts {
		if err := checkValue(part.name, reflect.ValueOf(part.value)); err != nil {
			return fmt.Errorf("recipe: %w", err)
		}
	}
	for _, rule := range rules {
		if !(rule.value >= rule.low && rule.value <= rule.high) {
			return fmt.Errorf("recipe: %s is %g; give a value from %g to %g", rule.name, rule.value, rule.low, rule.high)
		}
	}
	return r.checkPlanes()
}

// part is a field of the recipe.
type part struct {
	name  string
	value any
}

// rule bounds one number; the bounds are what the drawing can stand, wider than what is plausible.
type rule struct {
	name             string
	value, low, high float64
}

// rules lists the bounds, common to all organs, that a parameter's type does not imply.
func (r Recipe) rules() []rule {
	l := r.Latents
	const small = 1e-6
	return []rule{
		{"Latents.PatientShare + ZoneShare + CoarseShare + FineShare", l.PatientShare + l.ZoneShare + l.CoarseShare + l.FineShare, 1 - small, 1 + small},
		{"Latents.CoarseShare + FineShare", l.CoarseShare + l.FineShare, small, 1},
		{"Latents.CoarseMM", l.CoarseMM, 0.5, 100},
		{"Latents.FineMM", l.FineMM, 0.5, 100},
		{"Latents.VolumeToStroma", l.VolumeToStroma, -1, 1},
		{"the sum of squares of Latents.StromaToKPa, CellsToKPa and InflamToKPa", l.knownStiffness(), 0, 1},
		{"the variance given by Latents.LumenToEcho, StromaToEcho and InflamToEcho", l.knownEcho(), 0, 1},
		{"Latents.StromaToTexture", l.StromaToTexture, -2, 2},
		{"Latents.LumenToTexture", l.LumenToTexture, -2, 2},
		{"Latents.StromaToAtten", l.StromaToAtten, -1, 1},
		{"Latents.TextureLogSD", l.TextureLogSD, 0, 3},
		{"Latents.AttenSD", l.AttenSD, 0, 1},
		{"Registration.ShrinkagePercent.Max", r.Registration.ShrinkagePercent.Max, 0, 50},
		{"Registration.ShrinkagePercent.Min", r.Registration.ShrinkagePercent.Min, 0, 50},
		{"Registration.CorrectedPercent", r.Registration.CorrectedPercent, 0, 50},
		{"Registration.MaxTiltDegrees", r.Registration.MaxTiltDegrees, 0, 45},
		{"Registration.MaxOffsetMM", r.Registration.MaxOffsetMM, 0, 50},
		{"Registration.WarpMM.Min", r.Registration.WarpMM.Min, 0, 20},
		{"Registration.WarpScaleMM", r.Registration.WarpScaleMM, 2, 1000},
		{"Beam.ImagingFWHMMM", r.Beam.ImagingFWHMMM, 0.1, 20},
		{"Beam.ShearFWHMMM", r.Beam.ShearFWHMMM, 0.1, 20},
		{"Beam.Slices", float64(r.Beam.Slices), 1, 31},

		{"Planes.Jitter", r.Planes.Jitter, 0, 0.3},
		{"Stone.EKPa", r.Stone.EKPa, small, 1e6},
		{"Stone.AttenDBCmMHz", r.Stone.AttenDBCmMHz, 0, 1000},
	}
}

// prostateRules lists those of the prostate.
func (r Recipe) prostateRules() []rule {
	a, t, c := r.Anatomy, r.Tumours, r.Confounders
	const small = 1e-6
	return []rule{
		{"Anatomy.VolumeML.Min", a.VolumeML.Min, 8, 200},
		{"Anatomy.VolumeML.Max", a.VolumeML.Max, 8, 200},
		{"Anatomy.AgeYears.Min", a.AgeYears.Min, 18, 120},
		{"Anatomy.AgeYears.Max", a.AgeYears.Max, 18, 120},
		{"Anatomy.WidthToHeight.Min", a.WidthToHeight.Min, 0.5, 4},
		{"Anatomy.WidthToHeight.Max", a.WidthToHeight.Max, 0.5, 4},
		{"Anatomy.LengthToHeight.Min", a.LengthToHeight.Min, 0.5, 4},
		{"Anatomy.LengthToHeight.Max", a.LengthToHeight.Max, 0.5, 4},
		{"Anatomy.MaxHeightMM", a.MaxHeightMM, 15, 100},
		{"Anatomy.MaxWidthMM", a.MaxWidthMM, 20, 150},
		{"Anatomy.CouplantMM.Min", a.CouplantMM.Min, 0, 10},
		{"Anatomy.RectalWallMM.Min", a.RectalWallMM.Min, 0.5, 10},
		{"Anatomy.DentMM.Min", a.DentMM.Min, 0, 8},
		{"Anatomy.DentMM.Max", a.DentMM.Max, 0, 8},
		{"Anatomy.ShiftMM.Min", a.ShiftMM.Min, -20, 20},
		{"Anatomy.ShiftMM.Max", a.ShiftMM.Max, -20, 20},
		{"Anatomy.BladderFill.Min", a.BladderFill.Min, 0.1, 5},
		{"Anatomy.ProbeRadiusMM", a.ProbeRadiusMM, 3, 200},
		{"Anatomy.PZThicknessMM.Min", a.PZThicknessMM.Min, 1, 40},
		{"Anatomy.PZThinningMMPerML", a.PZThinningMMPerML, 0, 1},
		{"Anatomy.TZShareSD", a.TZShareSD, 0, 1},
		{"Tissues.TZKPaPerYear", r.Tissues.TZKPaPerYear, -5, 5},
		{"Tissues.BenignViscosityPaS", r.Tissues.BenignViscosityPaS, 0, 100},
		{"Tissues.TumourViscosity", r.Tissues.TumourViscosity, small, 100},
		{"Tumours.ExtraFociMean", t.ExtraFociMean, 0, 20},
		{"Tumours.IndexML.Max", t.IndexML.Max, 0, 50},
		{"Tumours.SecondaryML.Max", t.SecondaryML.Max, 0, 50},
		{"Tumours.GradeLogSD", t.GradeLogSD, 0, 2},
		{"Tumours.WithinLogSD", t.WithinLogSD, 0, 2},
		{"Tumours.MaxKPa", t.MaxKPa, small, 1000},
		{"Tumours.HypoechoicShare", t.HypoechoicShare, 0.01, 0.99},
		{"Tumours.HypoechoicShare + HyperechoicShare", t.HypoechoicShare + t.HyperechoicShare, 0, 1},
		{"Tumours.SeenShare", t.SeenShare, 0.1, 1},
		{"Tumours.ClusterShape", t.ClusterShape, small, 1000},
		{"Confounders.NodulesPerTZML", c.NodulesPerTZML, 0, 2},
		{"Confounders.NoduleML.Max", c.NoduleML.Max, 0, 50},
		{"Confounders.UniformTZRatio", c.UniformTZRatio, small, 10},
	}
}

// checkPlanes refuses planes without a name, twice named, or beyond the poles.
func (r Recipe) checkPlanes() error {
	names, at := r.Planes.Names, r.Planes.Positions
	if len(names) == 0 || len(names) != len(at) {
		return fmt.Errorf("recipe: Planes.Names has %d entries and Positions %d; give as many of each, at least one", len(names), len(at))
	}
	seen := map[string]bool{}
	for k, name := range names {
		if name == "" || seen[name] || strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("recipe: Planes.Names[%d] is %q; give every plane a name of its own, without slashes", k, name)
		}
		seen[name] = true
		if math.Abs(at[k]) > 0.9 {
			return fmt.Errorf("recipe: Planes.Positions[%d] is %g; give a position from -0.9 (apex) to 0.9 (base)", k, at[k])
		}
	}
	return nil
}

// checkValue walks the recipe: every number must be finite, every spread and tissue possible, every
// share between 0 and 1.
func checkValue(path string, v reflect.Value) error {
	switch x := v.Interface().(type) {
	case Normal:
		switch {
		case !finite(x.Mean, x.SD, x.Min, x.Max):
			return fmt.Errorf("%s is %+v; give finite numbers", path, x)
		case x.SD < 0:
			return fmt.Errorf("%s.SD is %g; give 0 or more", path, x.SD)
		case x.Min > x.Max:
			return fmt.Errorf("%s.Min is %g, above Max %g; swap them", path, x.Min, x.Max)
		case x.Mean < x.Min || x.Mean > x.Max:
			return fmt.Errorf("%s.Mean is %g; give a value between Min %g and Max %g", path, x.Mean, x.Min, x.Max)
		}
		return nil
	case LogNormal:
		switch {
		case !finite(x.Median, x.LogSD, x.Min, x.Max):
			return fmt.Errorf("%s is %+v; give finite numbers", path, x)
		case x.Median <= 0:
			return fmt.Errorf("%s.Median is %g; give more than 0", path, x.Median)
		case x.LogSD < 0 || x.LogSD > 3:
			return fmt.Errorf("%s.LogSD is %g; give a value from 0 to 3", path, x.LogSD)
		case x.Min <= 0:
			return fmt.Errorf("%s.Min is %g; give more than 0", path, x.Min)
		case x.Min > x.Max:
			return fmt.Errorf("%s.Min is %g, above Max %g; swap them", path, x.Min, x.Max)
		case x.Median < x.Min || x.Median > x.Max:
			return fmt.Errorf("%s.Median is %g; give a value between Min %g and Max %g", path, x.Median, x.Min, x.Max)
		}
		return nil
	case Tissue:
		return x.check(path)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if path != "" {
				name = path + "." + name
			}
			if err := checkValue(name, v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			if err := checkValue(fmt.Sprintf("%s[%d]", path, i), v.Index(i)); err != nil {
				return err
			}
		}
		if shares, ok := sumOfShares(path, v); ok && math.Abs(shares-1) > 0.015 {
			return fmt.Errorf("%s sums to %g; give shares that sum to 1", path, shares)
		}
	case reflect.Float64:
		return checkNumber(path, v.Float())
	}
	return nil
}

// sumOfShares adds up the arrays that split a whole.
func sumOfShares(path string, v reflect.Value) (float64, bool) {
	if path != "Tumours.ZoneShare" && path != "Tumours.GradeShare" {
		return 0, false
	}
	sum := 0.0
	for i := range v.Len() {
		sum += v.Index(i).Float()
	}
	return sum, true
}

// checkNumber refuses what is not finite, a share outside 0 to 1, and an impossible stiffness.
func checkNumber(path string, x float64) error {
	name := path[strings.LastIndex(path, ".")+1:]
	switch {
	case !finite(x):
		return fmt.Errorf("%s is %g; give a finite number", path, x)
	case (strings.Contains(name, "Share") || strings.HasPrefix(name, "StiffTZ")) && !strings.HasSuffix(name, "SD") && (x < 0 || x > 1):
		return fmt.Errorf("%s is %g; give a share from 0 to 1", path, x)
	case strings.HasPrefix(name, "GradeKPa") && (x < 0.1 || x > 1000):
		return fmt.Errorf("%s is %g; give a stiffness from 0.1 to 1000 kPa", path, x)
	}
	return nil
}

// check refuses a tissue that cannot exist.
func (t Tissue) check(path string) error {
	switch {
	case !finite(t.EKPa, t.BetweenLogSD, t.WithinLogSD, t.EchoDB, t.EchoSD, t.AttenDBCmMHz, t.ClusterShape):
		return fmt.Errorf("%s is %+v; give finite numbers", path, t)
	case t.EKPa < 0.1 || t.EKPa > 1000:
		return fmt.Errorf("%s.EKPa is %g; give a stiffness from 0.1 to 1000 kPa", path, t.EKPa)
	case t.BetweenLogSD < 0 || t.BetweenLogSD > 1:
		return fmt.Errorf("%s.BetweenLogSD is %g; give a value from 0 to 1", path, t.BetweenLogSD)
	case t.WithinLogSD < 0 || t.WithinLogSD > 1:
		return fmt.Errorf("%s.WithinLogSD is %g; give a value from 0 to 1", path, t.WithinLogSD)
	case math.Abs(t.EchoDB) > 60:
		return fmt.Errorf("%s.EchoDB is %g; give a level from -60 to 60 dB", path, t.EchoDB)
	case t.EchoSD < 0 || t.EchoSD > 20:
		return fmt.Errorf("%s.EchoSD is %g; give a value from 0 to 20 dB", path, t.EchoSD)
	case t.AttenDBCmMHz < 0 || t.AttenDBCmMHz > 30:
		return fmt.Errorf("%s.AttenDBCmMHz is %g; give a value from 0 to 30", path, t.AttenDBCmMHz)
	case t.ClusterShape <= 0 || t.ClusterShape > 1000:
		return fmt.Errorf("%s.ClusterShape is %g; give a value above 0 and up to 1000", path, t.ClusterShape)
	}
	return nil
}

// finite tells whether none of the numbers is NaN or infinite.
func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
