package phantom

// body is the organ and its surroundings, as the recipe's Organ says: what differs between a pelvis
// and a neck.
type body interface {
	// at prepares the tissue at elevation y.
	at(y float64) view
	// histology fills the true and the registered labels of a plane, and returns what draws the
	// plane's coherent boundaries once the signed depth inside fluid is known.
	histology(s *Section, l workGrid, plane int) (boundaries func(fluidMM []float32))
	// inCouplant tells whether a point of the image lies before the first tissue.
	inCouplant(x, z float64) bool
}

// view is the tissue at one elevation; it is used by one goroutine.
type view interface {
	// tissue blends the tissues and lesions at a point of the image, mm; ragged is the noise of
	// infiltrative edges. It also gives the signed depth inside fluid, mm, and the share of couplant.
	tissue(x, z, ragged float64) (m mix, fluidMM, gel float64)
}

// pelvis is the body of a prostate.
type pelvis struct{ *Patient }

func (b pelvis) at(y float64) view {
	return &pelvisView{Patient: b.Patient, c: b.gland.cut(y),
		tumours: nearLesions(b.lesions, y), benign: nearLesions(b.Patient.benign, y)}
}

// pelvisView is a cut through the pelvis.
type pelvisView struct {
	*Patient
	c               cut
	tumours, benign []*lesion
	st              site // one for all points: it escapes through the shapes' interface
}

func (v *pelvisView) tissue(x, z, ragged float64) (m mix, fluidMM, gel float64) {
	c, st := &v.c, &v.st
	x -= v.gland.shift
	*st = c.locate(x, z)
	m = v.tissueAt(c, st, x, z)
	if st.capsule > -1 {
		for _, lesion := range v.benign {
			if q := lesion.q(c, st, x, z); q < 2 {
				share := lesion.share(st, q, 0)
				m.addLesion(lesion, share, share)
			}
		}
		for _, lesion := range v.tumours {
			if q := lesion.q(c, st, x, z); q < 2 {
				m.addLesion(lesion, lesion.share(st, q, ragged), lesion.visible(st, q, ragged))
			}
		}
		m.add(&v.tissues[inUrethra], 0.85*smoothstep(-0.5, 0.5, st.urethra))
	}
	return m, v.fluidDepth(c, st, x, z), smoothstep(0.15, -0.15, v.gland.probeDepth(x, z)-v.gland.couplant)
}

func (b pelvis) histology(s *Section, l workGrid, plane int) func(fluidMM []float32) {
	y := b.planeY[plane]
	here := func(_ int, x, z float64) (float64, float64, float64) { return x - b.gland.shift, y, z }
	fields := b.labelFields(l, here).upsample(l, s.Grid)
	s.Labels = fields.labels()
	s.LabelsRegistered = b.labelFields(l, b.registered(plane, l)).upsample(l, s.Grid).labels()
	return func(fluidMM []float32) { s.prostateReflectors(b.Patient, fields, fluidMM) }
}

func (b pelvis) inCouplant(x, z float64) bool {
	return b.gland.probeDepth(x-b.gland.shift, z) < b.gland.couplant
}
