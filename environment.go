package main

import (
	"context"
	"fmt"
	"os"

	"elastography/kernel"
)

type kernelCommand struct {
	Setup     kernelSetupCommand     `cmd:"" help:"Make all that notebooks need, completion included."`
	Install   kernelInstallCommand   `cmd:"" help:"Show the kernel to other Jupyters and VS Code."`
	Uninstall kernelUninstallCommand `cmd:"" help:"Remove the kernel and all that is cached for this checkout."`
}

type kernelSetupCommand struct{}

func (c kernelSetupCommand) Run(ctx context.Context) error {
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	if err := env.Complete(ctx, os.Stderr); err != nil {
		return err
	}
	fmt.Printf("The kernel %q is ready in %s\n", kernel.DisplayName, env.Cache)
	return nil
}

type kernelInstallCommand struct {
	Prefix string `help:"Install for all users below this folder, such as /usr/local; the user's own folder if not given." type:"path"`
}

func (c kernelInstallCommand) Help() string {
	return "Example: SSWE_CACHE=/srv/sswe go run . kernel install --prefix /usr/local\n\nWithout this, `go run . lab` finds the kernel and nothing else does."
}

func (c kernelInstallCommand) Run(ctx context.Context) error {
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	if err := env.Complete(ctx, os.Stderr); err != nil {
		return err
	}
	dir, err := env.Install(c.Prefix)
	if err != nil {
		return err
	}
	fmt.Printf("%s: Jupyter now shows the kernel %q\n", dir, kernel.DisplayName)
	return nil
}

type kernelUninstallCommand struct {
	Prefix string `help:"As given to install." type:"path"`
}

func (c kernelUninstallCommand) Run(ctx context.Context) error {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return err
	}
	removed, err := kernel.Uninstall(ctx, root, c.Prefix)
	for _, dir := range removed {
		fmt.Println("removed", dir)
	}
	return err
}
