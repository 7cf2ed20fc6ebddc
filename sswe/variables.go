package sswe

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// createVariables gives the store all variables that build asks for: those its loader knows, the others as zeros. It builds
// the graph and drops it. Left to itself, GoMLX compiles a program that makes the zeros, which takes XLA seconds.
func createVariables(backend compute.Backend, store *model.Store, build func(g *graph.Graph)) error {
	g := graph.NewGraph(backend, "variables")
	defer g.Finalize()
	model.SetStore(g, store)
	if err := exceptions.TryCatch[error](func() { build(g) }); err != nil {
		return err
	}
	for v := range store.IterVariables() {
		if v.HasValue() {
			continue
		}
		if err := v.SetValue(tensors.FromShape(v.Shape())); err != nil {
			return fmt.Errorf("%s: %w", v.Path(), err)
		}
	}
	return nil
}
