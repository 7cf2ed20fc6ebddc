package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Kinds of thyroid nodule, as Findings and Focus.Kind name them.
const (
	FindingHyperplastic = "hyperplastic nodule"
	FindingCystic       = "cystic nodule"
	FindingAdenoma      = "follicular adenoma"
	FindingHashimoto    = "Hashimoto thyroiditis"
	KindPapillary       = "papillary carcinoma"
	KindFollicular      = "follicular carcinoma"
	KindMedullary       = "medullary carcinoma"
)

var (
	benignKinds    = [3]string{FindingHyperplastic, FindingCystic, FindingAdenoma}
	malignantKinds = [3]string{KindPapillary, KindFollicular, KindMedullary}
)

// nodule is what is drawn of a nodule before it is placed.
type nodule struct {
	malignant bool
	kind      string
	radius    float64
}

// drawNeck makes the patient a thyroid and returns half the length of the lobe, mm.
func (r Recipe) drawNeck(s streams, p *Patient) (halfL float64) {
	rn := r.Neck
	rng := s.rand("anatomy")
	n := &neck{Patient: p, lobe: "right lobe", medial: 1}
	p.body, p.AgeYears = n, rn.AgeYears.draw(rng)
	if rng.IntN(2) == 1 {
		n.lobe, n.medial = "left lobe", -1
	}
	n.probe = rn.ProbeMM.draw(rng)
	n.skin = rn.SkinMM.draw(rng)
	n.fat = n.skin + rn.FatMM.draw(rng)
	n.top = n.fat + rn.StrapMM.draw(rng)
	n.halfW, n.halfH, n.halfL = rn.LobeWidthMM.draw(rng)/2, rn.LobeAPMM.draw(rng)/2, rn.LobeLengthMM.draw(rng)/2
	n.trachea = rn.TracheaMM.draw(rng) / 2
	n.isthmus = 2 + 2*rng.Float64()
	n.carotid, n.jugular = 2.8+0.5*rng.Float64(), 3+1.5*rng.Float64()

	for k := range n.ripple {
		n.ripple[k] = ripple{0.03 * rng.NormFloat64(), 2 * math.Pi * rng.Float64(), 1.5 * rng.NormFloat64()}
	}

	nodules := r.drawNoduleKinds(s)
	for _, k := range nodules { // a large nodule swells its lobe
		n.halfW, n.halfH = max(n.halfW, 1.25*k.radius), max(n.halfH, 1.15*k.radius)
	}
	n.lobeX, n.lobeZ = n.trachea+0.82*n.halfW, n.top+n.halfH
	n.carotidX, n.carotidZ = n.lobeX+n.halfW+n.carotid+2, n.lobeZ+0.25*n.halfH
	n.tracheaZ = n.top + n.isthmus + n.trachea
	p.VolumeML = 2 * 4 / 3 * math.Pi * n.halfW * n.halfH * n.halfL / 1000 // two lobes

	r.drawNeckTissues(s, p, n)
	for i, k := range nodules {
		r.placeNodule(s, p, n, i, k)
	}
	return n.halfL
}

// drawNeckTissues draws the latents and each tissue's level from them.
func (r Recipe) drawNeckTissues(s streams, p *Patient, n *neck) {
	rn, rl := r.Neck, r.Latents
	rng := s.rand("latents/patient")
	p.latents = latentState{stroma: rng.NormFloat64(), cells: rng.NormFloat64(), inflam: rng.NormFloat64()}
	p.latents.lumen = lumen(p.latents.stroma, p.latents.cells, rng.NormFloat64())
	p.hashimoto = s.rand("confounders/hashimoto").Float64() < rn.HashimotoShare
	attenOwn := s.rand("attenuation").NormFloat64()
	stiff := s.rand("stiffness")
	zonal := math.Sqrt(rl.ZoneShare / max(1-rl.PatientShare, 1e-9))
	for id, t := range []struct {
		of   Tissue
		into *tissueState
	}{{rn.Thyroid, &n.thyroid}, {rn.Fat, &n.tFat}, {rn.Muscle, &n.muscle}, {rn.Skin, &n.tSkin}, {rn.Cartilage, &n.cartilage}, {rn.VesselWall, &n.vessel}} {
		zone := s.rand(fmt.Sprintf("latents/zone/%d", id))
		zs, zc, zi := zone.NormFloat64(), zone.NormFloat64(), zone.NormFloat64()
		kPa := t.of.EKPa
		if id == 0 && p.hashimoto {
			kPa *= rn.HashimotoRatio
			t.of.EchoDB += rn.HashimotoEchoDB
			t.of.EchoSD *= 1.6 // coarse
		}
		*t.into = p.state(t.of, math.Log(kPa), math.Log(t.of.ClusterShape), stiff.NormFloat64(), attenOwn,
			zonalPart{zs, zi, lumen(zs, zc, zone.NormFloat64()), t.of.WithinLogSD * zonal * rl.stiffness(zs, zc, zi, stiff.NormFloat64()), zonal})
	}
}

// drawNoduleKinds draws how many nodules there are, what they are and how large; the first is the
// index nodule.
func (r Recipe) drawNoduleKinds(s streams) []nodule {
	rn := r.Neck
	rng := s.rand("tumours")
	nodules := make([]nodule, 1+poisson(rng, rn.ExtraNodules))
	for i := range nodules {
		k, share := &nodules[i], rn.SecondMalignant
		k.radius = rn.NoduleMM.draw(rng) / 2
		if i == 0 {
			share = rn.MalignantShare
		} else {
			k.radius = min(k.radius, nodules[0].radius)
		}
		if k.malignant = rng.Float64() < share; k.malignant {
			k.kind = malignantKinds[pick(rng, rn.MalignantKind[:])]
		} else {
			k.kind = benignKinds[pick(rng, rn.BenignKind[:])]
		}
	}
	return nodules
}

// placeNodule finds a place for nodule i in the lobe, away from the others, and draws its stiffness
// and its echo, each from its own stream. A lobe without room has fewer nodules.
func (r Recipe) placeNodule(s streams, p *Patient, n *neck, i int, k nodule) {
	rn := r.Neck
	rng := s.rand(fmt.Sprintf("tumours/%d", i))
	semi := [3]float64{k.radius, k.radius * 0.85, k.radius * 1.05} // wider than tall, as benign nodules are
	rough := 0.015
	if k.malignant {
		semi, rough = [3]float64{k.radius * 0.88, k.radius, k.radius}, 0.04
	}
	for range maxPlacements {
		y := (2*rng.Float64() - 1) * 0.45 * n.halfL
		X, z := n.lobeX+(2*rng.Float64()-1)*n.halfW, n.lobeZ+(2*rng.Float64()-1)*n.halfH
		st := n.locate(X, y, z)
		x := (n.probe - X) * n.medial
		if st.lobe < 0.4*k.radius || -st.trachea < 0.8*k.radius || !p.apart(x, y, z, k.radius) {
			continue
		}
		b := newBlob(rng, [3]float64{x, y, z}, [3]float64{1, 0, 0}, semi, rough)
		stiff, echo := s.rand(fmt.Sprintf("stiffness/nodule/%d", i)), s.rand(fmt.Sprintf("echo/nodule/%d", i))
		l := lesion{shape: &b, edge: 0.07, withinLogSD: rn.NoduleWithinLogSD, lnShape: math.Log(10), graininess: 1}
		switch k.kind {
		case KindFollicular:
			l.lnKPa, l.contrastDB = math.Log(rn.FollicularKPa.draw(stiff)), rn.AdenomaEchoDB.draw(echo)
		case KindPapillary, KindMedullary:
			l.lnKPa, l.contrastDB = math.Log(rn.PapillaryKPa.draw(stiff)), rn.MalignantEchoDB.draw(echo)
		case FindingAdenoma:
			l.lnKPa, l.contrastDB = math.Log(rn.AdenomaKPa.draw(stiff)), rn.AdenomaEchoDB.draw(echo)
		default:
			l.lnKPa, l.contrastDB = math.Log(rn.BenignKPa.draw(stiff)), rn.BenignEchoDB.draw(echo)
			l.graininess = 1.3 // colloid and fibrous septa
		}
		p.calcify(rng, rn, k, x, y, z)
		if !k.malignant {
			l.finding = k.kind
			p.benign = append(p.benign, l)
			if k.kind == FindingCystic {
				p.cysts = append(p.cysts, ball{x, y, z, k.radius * (0.35 + 0.35*rng.Float64())})
			}
			return
		}
		l.focus = LabelFocus + uint8(len(p.Foci))
		p.lesions = append(p.lesions, l)
		p.Foci = append(p.Foci, Focus{ID: l.focus, Zone: n.lobe, Kind: k.kind, Gleason: NotGraded, EKPa: math.Exp(l.lnKPa),
			ContrastDB: l.contrastDB, Hypoechoic: l.contrastDB < -1.5, Index: i == 0,
			DiameterMM: 2 * max(semi[0], semi[1]), VolumeML: 4.0 / 3 * math.Pi * semi[0] * semi[1] * semi[2] / 1000})
		return
	}
}

// calcify adds microcalcifications to a papillary carcinoma, a coarse one to a benign nodule.
func (p *Patient) calcify(rng *rand.Rand, rn NeckRecipe, k nodule, x, y, z float64) {
	u := rng.Float64()
	stone := func(r float64) {
		spread := 0.45 * k.radius
		p.stones = append(p.stones, ball{x + spread*rng.NormFloat64(), y + spread*rng.NormFloat64(), z + spread*rng.NormFloat64(), r})
	}
	switch {
	case k.kind == KindPapillary && u < rn.Microcalcified:
		for range 8 + rng.IntN(14) {
			stone(0.15 + 0.2*rng.Float64())
		}
	case !k.malignant && u < rn.Macrocalcified:
		stone(0.8 + rng.Float64())
	}
}

// apart tells whether a ball keeps clear of the nodules already placed.
func (p *Patient) apart(x, y, z, radius float64) bool {
	for _, group := range [][]lesion{p.lesions, p.benign} {
		for i := range group {
			b := group[i].shape.(*blob)
			if math.Hypot(math.Hypot(x-b.x, y-b.y), z-b.z) < radius+b.semi[0] {
				return false
			}
		}
	}
	return true
}
