package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// drawConfounders adds what looks or feels like cancer and is not. Place and size come from the
// "confounders" streams; stiffness and echo each from their own.
func (r Recipe) drawConfounders(s streams, p *Patient) {
	rc := r.Confounders
	rng := s.rand("confounders")
	has := func(share float64) bool { return rng.Float64() < share }
	// Drawn together first, so that the presence of one finding never moves another.
	wedges, granulomatous, outer := has(rc.ProstatitisShare), has(rc.GranulomatousShare), has(rc.OuterNoduleShare)
	retention, utricle, resected := has(rc.RetentionCystShare), has(rc.UtricleCystShare), has(rc.ResectionShare)

	r.drawNodules(s, p)
	if wedges {
		r.drawWedges(s, p)
	}
	if outer {
		r.drawRound(s, p, FindingOuterNodule, 0.02, Normal{3.6, 0.8, 2.5, 5.5}, rc.OuterNoduleKPa, rc.OuterNoduleEchoDB)
	}
	if granulomatous {
		r.drawRound(s, p, FindingGranuloma, 0.08, Normal{6, 1.2, 4, 9}, rc.GranulomatousKPa, rc.GranulomatousEchoDB)
	}
	r.drawStones(s, p)
	p.drawCysts(s.rand("confounders/cysts"), retention, utricle)
	if resected {
		p.resectionMM = 3 + 3*s.rand("confounders/resection").Float64()
	}
}

// drawNodules fills the TZ with hyperplastic nodules. How stiff a TZ is overall depends on the size
// of the gland; how bright a nodule is depends on nothing else. Stromal nodules show by their texture.
func (r Recipe) drawNodules(s streams, p *Patient) {
	rc := r.Confounders
	a := &p.gland
	volumeTZ := 4.0 / 3 * math.Pi * a.tzHalfW * a.tzHalfH * a.tzHalfT * a.halfL / 1000
	rng := s.rand("confounders/nodules")
	count := poisson(rng, rc.NodulesPerTZML*max(volumeTZ-rc.NoduleFreeTZML, 0))
	stromal := rc.StromalShare[0]
	if p.tz == tzInhomogeneous {
		stromal = rc.StromalShare[1]
	}
	for i := range count {
		rng := s.rand(fmt.Sprintf("confounders/nodules/%d", i))
		radius := math.Cbrt(rc.NoduleML.draw(rng) * 1000 * 3 / (4 * math.Pi))
		stiff, echo := s.rand(fmt.Sprintf("stiffness/nodule/%d", i)), s.rand(fmt.Sprintf("echo/nodule/%d", i))
		l := lesion{finding: FindingGlandularNodule, edge: 0.10, only: onlyTZ, withinLogSD: 0.09}
		l.lnShape = math.Log(3) + 0.5*echo.NormFloat64() + 0.8*echo.Float64()
		if s.rand(fmt.Sprintf("latents/nodule/%d", i)).Float64() < stromal {
			l.finding = FindingStromalNodule
			l.lnShape += 0.5 // few open glands
			l.lnKPa = math.Log(rc.StromalKPa.draw(stiff))
		} else {
			l.lnKPa = math.Log(rc.GlandularKPa.draw(stiff))
		}
		l.contrastDB = rc.NoduleEchoDB.draw(echo)
		l.graininess = 0.7 + 0.5*echo.Float64()
		l.extraAtten = 0.1 * echo.Float64() // large BPH: +0.1-0.2 dB/cm/MHz with the TZ's own
		semi := [3]float64{radius * (0.8 + 0.2*rng.Float64()), radius, radius * (1 + 0.25*rng.Float64())}
		for range 200 {
			x, y, z, c, st := p.randomPoint(rng)
			if c.s < 0.3 || st.tz < 0.45*radius || st.urethra > -1.5 {
				continue
			}
			b := newBlob(rng, [3]float64{x, y, z}, [3]float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}, semi, 0.03)
			l.shape = &b
			p.benign = append(p.benign, l)
			break
		}
	}
}

// drawWedges adds one or two peripheral wedges of inflammation or atrophy.
func (r Recipe) drawWedges(s streams, p *Patient) {
	rc := r.Confounders
	rng := s.rand("confounders/prostatitis")
	for i := range 1 + rng.IntN(2) {
		stiff, echo := s.rand(fmt.Sprintf("stiffness/wedge/%d", i)), s.rand(fmt.Sprintf("echo/wedge/%d", i))
		p.benign = append(p.benign, lesion{
			shape: &wedge{
				angle:     (0.25 + 0.85*rng.Float64()) * float64(1-2*rng.IntN(2)),
				halfAngle: 0.16 + 0.14*rng.Float64(),
				y:         (1.2*rng.Float64() - 0.7) * p.gland.halfL,
				halfY:     6 + 6*rng.Float64(),
				inner:     0.1 + 0.2*rng.Float64(),
			},
			finding: FindingProstatitis, edge: 0.3, only: onlyOuter, withinLogSD: 0.12,
			lnKPa: math.Log(rc.ProstatitisKPa.draw(stiff)), contrastDB: rc.ProstatitisEchoDB.draw(echo),
			lnShape: math.Log(7), graininess: 0.7,
		})
	}
}

// drawRound adds one round benign lesion to the outer gland.
func (r Recipe) drawRound(s streams, p *Patient, name string, rough float64, radius Normal, kPa LogNormal, echoDB Normal) {
	rng := s.rand("confounders/" + name)
	size := radius.draw(rng)
	for range 400 {
		x, y, z, c, st := p.randomPoint(rng)
		if c.s < 0.45 || !inZone(&st, 0) || st.capsule < 0.5*size || st.v > 0.4 || !p.free(x, y, z, 0.8*size) {
			continue
		}
		b := newBlob(rng, [3]float64{x, y, z}, p.gland.inward(x, y, z), [3]float64{0.8 * size, size, 1.1 * size}, rough)
		p.benign = append(p.benign, lesion{
			shape: &b, finding: name, edge: 0.12, withinLogSD: 0.08,
			lnKPa:      math.Log(kPa.draw(s.rand("stiffness/" + name))),
			contrastDB: echoDB.draw(s.rand("echo/" + name)), lnShape: math.Log(9), graininess: 0.5,
		})
		return
	}
}

// drawStones adds calcifications: rows along the surgical capsule, small groups elsewhere.
func (r Recipe) drawStones(s streams, p *Patient) {
	rc := r.Confounders
	for k, share := range [3]float64{rc.CalcInterfaceShare, rc.CalcPZShare, rc.CalcTZShare} {
		rng := s.rand(fmt.Sprintf("confounders/stones/%d", k))
		if rng.Float64() >= share {
			continue
		}
		groups := 1 + rng.IntN(3)
		if rng.Float64() < rc.CalcMarkedShare {
			groups += 3
		}
		for range groups {
			p.drawStoneGroup(rng, k)
		}
	}
}

// drawStoneGroup adds one group of stones at the surgical capsule (0), in the PZ (1) or the TZ (2).
func (p *Patient) drawStoneGroup(rng *rand.Rand, where int) {
	for range 2000 {
		x, y, z, c, st := p.randomPoint(rng)
		fits := c.s > 0.4 && st.urethra < -1 && st.afms < 0 && st.capsule > 1.5
		switch where {
		case 0:
			// Stones of the surgical capsule lie behind the TZ, towards the mid-line.
			fits = fits && math.Abs(st.tz) < 0.6 && z < c.tzZ && math.Abs(x) < 0.75*c.tzA
		case 1:
			fits = fits && inZone(&st, 0)
		default:
			fits = fits && st.tz > 2
		}
		if !fits {
			continue
		}
		for range 2 + rng.IntN(6) {
			r := 0.25 + 0.35*rng.ExpFloat64()
			p.stones = append(p.stones, ball{
				x + 1.8*rng.NormFloat64(), y + 1.2*rng.NormFloat64(), z + 0.6*rng.NormFloat64(), min(r, 1.4),
			})
		}
		return
	}
}

// drawCysts adds a retention cyst of the TZ and the utricle's cyst on the mid-line.
func (p *Patient) drawCysts(rng *rand.Rand, retention, utricle bool) {
	a := &p.gland
	if utricle {
		c := a.cut(0.12 * a.halfL)
		p.cysts = append(p.cysts, ball{a.urethraX, c.y, (c.urZ + c.posterior) / 2, 1.5 + 2*rng.Float64()})
	}
	if !retention {
		return
	}
	for range 400 {
		x, y, z, c, st := p.randomPoint(rng)
		if r := 1.2 + 2.5*rng.Float64(); c.s > 0.4 && st.tz > r+0.5 && st.urethra < -r-1 && p.free(x, y, z, r) {
			p.cysts = append(p.cysts, ball{x, y, z, r})
			return
		}
	}
}
