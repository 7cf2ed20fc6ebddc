package phantom

// lesion is a region that replaces the tissue it lies in: a tumour or one of its benign look-alikes.
type lesion struct {
	shape
	finding string // what it is called in Patient.Findings; empty for a tumour
	focus   uint8  // label of a tumour focus, 0 if benign

	lnKPa, withinLogSD float64 // stiffness, from the stiffness streams
	contrastDB         float64 // backscatter relative to the tissue around, from the echo streams
	extraAtten         float64 // dB/cm/MHz
	lnShape            float64 // log of the cluster shape
	graininess         float64 // how much of the surroundings' echo texture stays, 0 to 1

	edge         float64 // half-width of the transition, in units of q
	seen         float64 // q at which B-mode shows half of a tumour's contrast
	infiltrative bool    // the edge is ragged and wide
	only         region  // where it may replace tissue
}

// Names of the benign findings, as Patient.Findings counts them.
const (
	FindingStromalNodule   = "stromal nodule"
	FindingGlandularNodule = "glandular nodule"
	FindingProstatitis     = "prostatitis"
	FindingGranuloma       = "granulomatous prostatitis"
	FindingOuterNodule     = "outer gland nodule"
	FindingCalcification   = "calcification"
	FindingCyst            = "cyst"
	FindingResection       = "resection defect"
)

// Findings counts the benign look-alikes in the whole gland, by name; stones and cysts one by one.
func (p *Patient) Findings() map[string]int {
	found := map[string]int{}
	for _, l := range p.benign {
		found[l.finding]++
	}
	if n := len(p.stones); n > 0 {
		found[FindingCalcification] = n
	}
	if n := len(p.cysts); n > 0 {
		found[FindingCyst] = n
	}
	if p.hashimoto {
		found[FindingHashimoto] = 1
	}
	if p.resectionMM > 0 {
		found[FindingResection] = 1
	}
	return found
}

// region limits a lesion to part of the gland.
type region uint8

const (
	anyGland region = iota
	onlyTZ
	onlyOuter // peripheral and central zone
)

// share is how far the lesion has replaced the tissue at a point, 0 to 1. ragged is a unit-variance
// noise that breaks up an infiltrative edge.
func (l *lesion) share(st *site, q, ragged float64) float64 {
	edge := l.edge
	if l.infiltrative {
		edge = 0.42
		q += 0.16 * ragged
	}
	m := smoothstep(1+edge, 1-edge, q)
	if m == 0 {
		return 0
	}
	m *= smoothstep(-0.3, 0.3, st.capsule)
	switch l.only {
	case onlyTZ:
		m *= smoothstep(-0.3, 0.5, st.tz)
	case onlyOuter:
		m *= smoothstep(0.5, -0.3, st.tz)
	}
	return m
}

// visible is how far the lesion has replaced the tissue as B-mode shows it: a tumour looks smaller and
// less sharp than it is.
func (l *lesion) visible(st *site, q, ragged float64) float64 {
	soft := *l
	soft.infiltrative = false
	soft.edge = 0.25
	if l.infiltrative {
		soft.edge = 0.5
	}
	return soft.share(st, q/l.seen+0.08*ragged, 0)
}
