package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Patient is one virtual patient, described in space; a plane is worked out when Section asks for it. A
// Patient is not changed by use and may be shared between goroutines.
type Patient struct {
	ID                 string // "p001" for index 0
	AgeYears, VolumeML float64
	Foci               []Focus

	recipe  Recipe
	streams streams
	body    body
	gland   anatomy                  // of a prostate
	tissues [tissueCount]tissueState // of a pelvis
	latents latentState
	tz      tzClass

	lesions     []lesion // tumours, in the order of Foci
	benign      []lesion
	stones      []ball
	cysts       []ball
	hashimoto   bool
	resectionMM float64 // radius at the bladder neck of what a resection left open; 0 without
	planeY      []float64
}

// tissueID numbers the benign tissues.
type tissueID uint8

const (
	inPZ tissueID = iota
	inTZ
	inCZ
	inAFMS
	inUrethra
	inFat
	inMuscle
	inRectalWall
	inBladderWall
	inSeminal
	tissueCount
)

// tissueState is a tissue as it is in one patient.
type tissueState struct {
	lnKPa, withinLogSD float64
	echoDB, echoSD     float64
	atten, lnShape     float64
}

// latentState holds the patient's share of each latent, in SD.
type latentState struct{ stroma, cells, inflam, lumen float64 }

// tzClass is how stiff the transition zone is as a whole.
type tzClass uint8

const (
	tzElastic tzClass = iota
	tzInhomogeneous
	tzUniform
)

// Patient draws patient number index (0 is "p001") of the cohort with that seed. The same seed and
// index give the same patient, whatever else is drawn. It refuses an impossible recipe by the name
// of the parameter, and a negative index.
func (r Recipe) Patient(seed uint64, index int) (*Patient, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("drawing patient %d: %w", index, err)
	}
	if index < 0 {
		return nil, fmt.Errorf("drawing a patient: index is %d; count patients from 0", index)
	}
	s := streams{seed: seed, index: index, stiffnessSeed: r.StiffnessSeed}
	p := &Patient{ID: fmt.Sprintf("p%03d", index+1), recipe: r, streams: s}
	halfL := 0.0
	if r.Organ == organThyroid {
		halfL = r.drawNeck(s, p)
	} else {
		var stroma float64
		p.gland, stroma = r.drawAnatomy(s)
		p.AgeYears, p.VolumeML = p.gland.ageYears, p.gland.volumeML
		r.drawLatents(s, p, stroma)
		r.drawTumours(s, p)
		r.drawConfounders(s, p)
		halfL, p.body = p.gland.halfL, pelvis{p}
	}
	planes := s.rand("planes")
	for _, t := range r.Planes.Positions {
		p.planeY = append(p.planeY, (t+r.Planes.Jitter*planes.NormFloat64())*halfL)
	}
	return p, nil
}

// Planes names the imaging planes, in the order Section numbers them.
func (p *Patient) Planes() []string { return append([]string(nil), p.recipe.Planes.Names...) }

// drawLatents draws what the patient's tissues have in common, and each tissue's level from it.
func (r Recipe) drawLatents(s streams, p *Patient, stroma float64) {
	rl := r.Latents
	rng := s.rand("latents/patient")
	p.latents = latentState{stroma: stroma, cells: rng.NormFloat64(), inflam: rng.NormFloat64()}
	p.latents.lumen = lumen(p.latents.stroma, p.latents.cells, rng.NormFloat64())
	attenOwn := s.rand("attenuation").NormFloat64()

	p.tz = r.drawTZClass(s.rand("latents/tz"), p.VolumeML)
	stiff := s.rand("stiffness")
	common := stiff.NormFloat64()
	zonal := math.Sqrt(rl.ZoneShare / max(1-rl.PatientShare, 1e-9))
	rt := r.Tissues
	for id, t := range [tissueCount]Tissue{
		rt.PZ, rt.TZ, rt.CZ, rt.AFMS, rt.Urethra, rt.Fat, rt.Muscle, rt.RectalWall, rt.BladderWall, rt.SeminalVesicle,
	} {
		zone := s.rand(fmt.Sprintf("latents/zone/%d", id))
		zs, zc, zi := zone.NormFloat64(), zone.NormFloat64(), zone.NormFloat64()
		zl := lumen(zs, zc, zone.NormFloat64())
		own := math.Sqrt(0.5)*common + math.Sqrt(0.5)*stiff.NormFloat64()
		base := t.EKPa
		if tissueID(id) == inTZ {
			base = max(base+rt.TZKPaPerYear*(p.AgeYears-r.Anatomy.AgeYears.Mean), 0.5*base)
			if p.tz == tzUniform {
				base *= r.Confounders.UniformTZRatio
			}
		}
		lnShape := math.Log(t.ClusterShape)
		if tissueID(id) == inTZ && p.tz == tzUniform {
			lnShape += uniformTZTexture
		}
		p.tissues[id] = p.state(t, math.Log(base), lnShape, own, attenOwn, zonalPart{zs, zi, zl,
			t.WithinLogSD * zonal * rl.stiffness(zs, zc, zi, stiff.NormFloat64()), zonal})
	}
}

// zonalPart is what one tissue of a patient has for its own: its latents, in SD, the shift of its log
// stiffness, and the share of the tissue's spread, as SD, that this takes.
type zonalPart struct{ stroma, inflam, lumen, lnKPa, share float64 }

// state is a tissue as the patient's latents and its own make it.
func (p *Patient) state(t Tissue, lnKPa, lnShape, ownKPa, ownAtten float64, z zonalPart) tissueState {
	rl, pl := &p.recipe.Latents, &p.latents
	ps := math.Sqrt(rl.PatientShare)
	return tissueState{
		lnKPa:       lnKPa + t.BetweenLogSD*rl.stiffness(pl.stroma, pl.cells, pl.inflam, ownKPa) + z.lnKPa,
		withinLogSD: t.WithinLogSD * math.Sqrt(1-z.share*z.share),
		echoDB: t.EchoDB + t.EchoSD*(ps*rl.echo(pl.stroma, pl.inflam, pl.lumen, 0)+
			math.Sqrt(rl.ZoneShare)*rl.echo(z.stroma, z.inflam, z.lumen, 0)),
		echoSD:  t.EchoSD * math.Sqrt(max(1-rl.PatientShare-rl.ZoneShare, 0)),
		atten:   max(t.AttenDBCmMHz+rl.StromaToAtten*pl.stroma+rl.AttenSD*ownAtten, 0.3),
		lnShape: lnShape + ps*(rl.StromaToTexture*pl.stroma+rl.LumenToTexture*pl.lumen),
	}
}

// uniformTZTexture is how much fewer open glands a uniformly stiff, stromal TZ has, as a shift of the
// log cluster shape. Assumption.
const uniformTZTexture = 0.3

// drawTZClass draws whether the TZ is elastic, inhomogeneously or uniformly stiff.
func (r Recipe) drawTZClass(rng *rand.Rand, volumeML float64) tzClass {
	share := r.Confounders.StiffTZ[0]
	if volumeML > 45 {
		share = r.Confounders.StiffTZ[1]
	}
	u := rng.Float64()
	switch {
	case u < share[0]:
		return tzInhomogeneous
	case u < share[0]+share[1]:
		return tzUniform
	}
	return tzElastic
}

// lumen is the gland-lumen latent: what stroma and cells leave, and a part of its own. Unit variance.
func lumen(stroma, cells, own float64) float64 { return -0.6*stroma - 0.3*cells + 0.7416*own }

// stiffness is the standardised log stiffness that the latents and a part of its own give.
func (l *LatentRecipe) stiffness(stroma, cells, inflam, own float64) float64 {
	return l.StromaToKPa*stroma + l.CellsToKPa*cells + l.InflamToKPa*inflam + l.stiffnessOwn()*own
}

func (l *LatentRecipe) stiffnessOwn() float64 { return math.Sqrt(max(1-l.knownStiffness(), 0)) }

// knownStiffness is the share of log stiffness' variance that the latents explain.
func (l *LatentRecipe) knownStiffness() float64 {
	return l.StromaToKPa*l.StromaToKPa + l.CellsToKPa*l.CellsToKPa + l.InflamToKPa*l.InflamToKPa
}

// echo is the standardised backscatter, dB/SD, that the latents and a part of its own give.
func (l *LatentRecipe) echo(stroma, inflam, lumen, own float64) float64 {
	return l.StromaToEcho*stroma + l.InflamToEcho*inflam + l.LumenToEcho*lumen + l.echoOwn()*own
}

func (l *LatentRecipe) echoOwn() float64 { return math.Sqrt(max(1-l.knownEcho(), 0)) }

// knownEcho is the share of backscatter's variance that the latents explain. The lumen correlates
// with stroma, -0.6.
func (l *LatentRecipe) knownEcho() float64 {
	return l.StromaToEcho*l.StromaToEcho + l.InflamToEcho*l.InflamToEcho + l.LumenToEcho*l.LumenToEcho -
		2*0.6*l.StromaToEcho*l.LumenToEcho
}
