package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
)

var zoneNames = [3]string{"PZ", "TZ", "CZ"}

// maxPlacements bounds the search for a free place; a gland without room simply has fewer foci.
const maxPlacements = 4000

// drawTumours draws the foci and where they lie. Their stiffness and their echo come from streams of
// their own, so changing the one leaves the other.
func (r Recipe) drawTumours(s streams, p *Patient) {
	rt := r.Tumours
	rng := s.rand("tumours")
	count := 1
	if rng.Float64() >= rt.UnifocalShare {
		count = 2 + poisson(rng, rt.ExtraFociMean)
	}
	indexGrade := 1 + pick(rng, rt.GradeShare[:])
	indexML := min(rt.IndexML.draw(rng), 0.2*p.VolumeML)
	for i := range count {
		rng := s.rand(fmt.Sprintf("tumours/%d", i))
		f := Focus{ID: LabelFocus + uint8(len(p.Foci)), GradeGroup: indexGrade, Index: i == 0}
		wanted := indexML
		if i > 0 {
			for range redraws {
				if wanted = rt.SecondaryML.draw(rng); wanted < indexML {
					break
				}
			}
			wanted = min(wanted, indexML)
			if indexGrade > 1 && rng.Float64() < rt.LowerGradeShare {
				f.GradeGroup = 1 + rng.IntN(indexGrade-1)
			}
		}
		f.Gleason, f.Pattern4Percent = gleason(rng, f.GradeGroup)
		f.Infiltrative = rng.Float64() < rt.InfiltrativeShare
		zone := pick(rng, rt.ZoneShare[:])
		f.Zone = zoneNames[zone]
		b, ok := p.placeFocus(rng, zone, wanted, rt.CrescentShare)
		if !ok {
			continue
		}
		l := lesion{
			shape: b, focus: f.ID, edge: 0.06, seen: rt.SeenShare, infiltrative: f.Infiltrative,
			extraAtten: rt.ExtraAttenDBCmMHz, lnShape: math.Log(rt.ClusterShape), graininess: 0.6,
			withinLogSD: rt.WithinLogSD,
		}
		f.VolumeML, f.DiameterMM = p.measure(b)
		if grow := math.Cbrt(wanted / max(f.VolumeML, 1e-6)); grow > 1.02 { // the capsule cut some off
			b.scale(min(grow, 1.25))
			f.VolumeML, f.DiameterMM = p.measure(b)
		}
		f.Stage = "pT2"
		if b.crescent && f.DiameterMM > 9 && rng.Float64() < 0.55 {
			f.Stage = "pT3a"
		}
		r.focusStiffness(s.rand(fmt.Sprintf("stiffness/focus/%d", i)), p, &f)
		r.focusEcho(s.rand(fmt.Sprintf("echo/focus/%d", i)), &f)
		l.lnKPa, l.contrastDB = math.Log(f.EKPa), f.ContrastDB
		p.Foci = append(p.Foci, f)
		p.lesions = append(p.lesions, l)
	}
}

// focusStiffness draws the median stiffness of a focus from its grade; a soft one is as stiff as the
// tissue it grew in. Published moduli are what scanners showed, so that the tissue of a small focus
// is stiffer than its grade's by the contrast that a scanner loses on its diameter.
func (r Recipe) focusStiffness(rng *rand.Rand, p *Patient, f *Focus) {
	z := rng.NormFloat64()
	f.Soft = rng.Float64() < r.Tumours.SoftShare
	home := p.tissues[map[string]tissueID{"PZ": inPZ, "TZ": inTZ, "CZ": inCZ}[f.Zone]].lnKPa
	if f.Soft {
		f.EKPa = math.Exp(home + 0.1*z)
		return
	}
	around, shown := math.Exp(home), r.Tumours.GradeKPa[f.GradeGroup-1]*math.Exp(r.Tumours.GradeLogSD*z)
	if shown > around {
		shown = around + (shown-around)/shownContrast(f.DiameterMM)
	}
	f.EKPa = min(shown, r.Tumours.MaxKPa)
}

// shownContrast is the share of a stiff disc's contrast that an elastogram shows at its middle, by its
// diameter: 60, 90 and 99 % at 5, 10 and 20 mm, as data/scanner's contrast test measures (58, 90, 98 %).
func shownContrast(diameterMM float64) float64 { return 1 - math.Exp(-math.Pow(diameterMM/5.3, 1.3)) }

// focusEcho draws whether the focus shows. The reference diameter and grade group are this recipe's
// means over all foci, so that HypoechoicShare is the mean probability.
func (r Recipe) focusEcho(rng *rand.Rand, f *Focus) {
	const meanDiameterMM, meanGrade = 11.5, 1.85
	rt := r.Tumours
	odds := math.Log(rt.HypoechoicShare/(1-rt.HypoechoicShare)) +
		rt.HypoPerMM*(f.DiameterMM-meanDiameterMM) + rt.HypoPerGrade*(float64(f.GradeGroup)-meanGrade)
	u, bright := rng.Float64(), rng.Float64()
	hypo, iso := rt.HypoContrastDB.draw(rng), rt.IsoContrastDB.draw(rng)
	switch f.Hypoechoic = u < 1/(1+math.Exp(-odds)); {
	case f.Hypoechoic:
		f.ContrastDB = hypo
	case bright < rt.HyperechoicShare/(1-rt.HypoechoicShare):
		f.ContrastDB = -0.7 * hypo
	default:
		f.ContrastDB = iso
	}
}

// gleason names a score of the grade group and its share of pattern 4 or 5, %.
func gleason(rng *rand.Rand, group int) (string, int) {
	u := rng.Float64()
	switch group {
	case 1:
		return "3+3", 0
	case 2:
		return "3+4", 5 * (1 + int(u*9))
	case 3:
		return "4+3", 5 * (11 + int(u*8))
	case 4:
		return [3]string{"4+4", "3+5", "5+3"}[pick(rng, []float64{0.9, 0.06, 0.04})], 100
	default:
		return [3]string{"4+5", "5+4", "5+5"}[pick(rng, []float64{0.8, 0.15, 0.05})], 100
	}
}

// placeFocus finds room for a focus of that volume in its zone, away from the others.
func (p *Patient) placeFocus(rng *rand.Rand, zone int, volumeML, crescentShare float64) (*blob, bool) {
	radius := math.Cbrt(volumeML * 1000 * 3 / (4 * math.Pi))
	flat := 0.55 + 0.3*rng.Float64() // thickness over mean radius; tumours spread along the capsule
	crescent := zone == 0 && rng.Float64() < crescentShare
	if zone != 0 {
		flat = 0.75 + 0.2*rng.Float64()
	}
	if crescent {
		flat *= 0.85
	}
	stretch := math.Exp(0.15 * rng.NormFloat64())
	semi := [3]float64{radius * flat, radius * stretch / math.Sqrt(flat), radius / stretch / math.Sqrt(flat)}
	rough := 0.05 + 0.05*rng.Float64()
	for range maxPlacements {
		x, y, z, c, st := p.randomPoint(rng)
		if c.s < 0.35 || !inZone(&st, zone) || st.urethra > -2 {
			continue
		}
		switch zone {
		case 0:
			// Below the capsule, mostly behind; the anterior horns are thin.
			if st.v > 0.45 || st.capsule < 0.7*semi[0] || st.capsule > semi[0]+2.5 {
				continue
			}
		case 1:
			if st.tz < 0.5*semi[0] {
				continue
			}
		}
		if !p.free(x, y, z, 0.85*radius) {
			continue
		}
		normal := p.gland.inward(x, y, z)
		if zone == 1 {
			normal = [3]float64{normal[0] + rng.NormFloat64(), rng.NormFloat64(), normal[2] + rng.NormFloat64()}
		}
		b := newBlob(rng, [3]float64{x, y, z}, normal, semi, rough)
		if crescent {
			b.crescent, b.thick, b.depth = true, semi[0], min(st.capsule, 0.75*semi[0])
		}
		return &b, true
	}
	return nil, false
}

// randomPoint draws a point of the box around the gland and locates it.
func (p *Patient) randomPoint(rng *rand.Rand) (x, y, z float64, c cut, st site) {
	a := &p.gland
	y = (2*rng.Float64() - 1) * 0.92 * a.halfL
	x = (2*rng.Float64() - 1) * 1.1 * a.halfW
	z = a.posteriorZ + (2.2*rng.Float64())*a.halfH + 4*max(y/a.halfL, 0)
	c = a.cut(y)
	return x, y, z, c, c.locate(x, z)
}

// inZone tells whether a point lies in zone 0 (PZ), 1 (TZ) or 2 (CZ).
func inZone(st *site, zone int) bool {
	if st.capsule < 0 || st.afms > 0 {
		return false
	}
	switch zone {
	case 0:
		return st.tz < 0 && st.cz < 0
	case 1:
		return st.tz > 0
	default:
		return st.cz > 0 && st.tz < 0
	}
}

// free tells whether a ball keeps clear of the foci already placed.
func (p *Patient) free(x, y, z, r float64) bool {
	for i := range p.lesions {
		if p.lesions[i].focus == 0 {
			continue
		}
		b := p.lesions[i].shape.(*blob)
		other := math.Cbrt(b.semi[0] * b.semi[1] * b.semi[2])
		if math.Hypot(math.Hypot(x-b.x, y-b.y), z-b.z) < r+other+1 {
			return false
		}
	}
	return true
}

// scale enlarges a blob.
func (b *blob) scale(f float64) {
	for k := range b.semi {
		b.semi[k] *= f
		for d := range b.axes[k] {
			b.axes[k][d] /= f
		}
	}
	b.thick *= f
}

// measure integrates the volume of a focus within the gland, ml, and finds its largest axial
// diameter, mm, as a pathologist measures it on the slides.
func (p *Patient) measure(b *blob) (volumeML, diameterMM float64) {
	const n = 20
	reach := b.reach()
	step := 2 * reach / n
	count := 0
	for k := range n {
		c := p.gland.cut(b.y - reach + (float64(k)+0.5)*step)
		var ext extent
		for i := range n {
			for j := range n {
				x, z := b.x-reach+(float64(j)+0.5)*step, b.z-reach+(float64(i)+0.5)*step
				if d := math.Hypot(x-b.x, z-b.z); d > reach {
					continue
				}
				var st site
				if !b.crescent && b.q(&c, &st, x, z) >= 1 { // only a crescent needs the anatomy for its q
					continue
				}
				if st = c.locate(x, z); st.capsule > 0 && b.q(&c, &st, x, z) < 1 {
					count++
					ext.add(x, z)
				}
			}
		}
		diameterMM = max(diameterMM, ext.feret(step))
	}
	return float64(count) * step * step * step / 1000, diameterMM
}

// feretDirections are the eight directions a width is taken in: every 22.5°.
var feretDirections = [8][2]float64{
	{1, 0}, {0.92388, 0.38268}, {0.70711, 0.70711}, {0.38268, 0.92388},
	{0, 1}, {-0.38268, 0.92388}, {-0.70711, 0.70711}, {-0.92388, 0.38268},
}

// extent collects the width of a set of points in eight directions.
type extent struct {
	lo, hi [8]float64
	used   bool
}

func (e *extent) add(x, z float64) {
	for k, dir := range feretDirections {
		d := dir[0]*x + dir[1]*z
		if !e.used || d < e.lo[k] {
			e.lo[k] = d
		}
		if !e.used || d > e.hi[k] {
			e.hi[k] = d
		}
	}
	e.used = true
}

// feret is the largest width, with the size of one sample added; 0 if there was none.
func (e *extent) feret(step float64) float64 {
	if !e.used {
		return 0
	}
	largest := 0.0
	for k := range e.lo {
		largest = max(largest, e.hi[k]-e.lo[k])
	}
	return largest + step
}
