/** Parts of pages that fail alone. */
import { Component, type ComponentChildren, type ComponentType, h, type JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import { Failure } from "./answer.js";
import { Notice, SkeletonPage } from "./controls.js";
import type { Fragment, Slots } from "./fragment.js";

interface BoundaryProps {
  /** What is inside, such as "The catalogue". */
  readonly what: string;
  readonly children: ComponentChildren;
}

/** Keeps what goes wrong inside from taking the rest of the page with it. */
export class Boundary extends Component<BoundaryProps, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {};

  static override getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override render(): ComponentChildren {
    if (this.state.error === undefined) {
      return this.props.children;
    }
    return (
      <Failure
        what={this.props.what}
        error={this.state.error}
        again={() => this.setState({ error: undefined })}
      />
    );
  }
}

/**
 * Make a component whose code is loaded when it first appears.
 *
 * @param load - loads it.
 * @param Waiting - what stands in its place meanwhile.
 */
export function lazily<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Waiting: ComponentType = SkeletonPage,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props): JSX.Element {
    const [, setRound] = useState(0);
    const [failed, setFailed] = useState(false);
    const attempt = useCallback(() => {
      setFailed(false);
      load().then(
        (component) => {
          loaded = component;
          setRound((before) => before + 1);
        },
        () => setFailed(true),
      );
    }, []);
    useEffect(() => {
      if (!loaded) {
        attempt();
      }
    }, []);
    if (loaded) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    if (failed) {
      return (
        <Notice kind="problem">
          <p>This part could not be loaded. Are you connected?</p>
          <button type="button" class="button" onClick={attempt}>
            Try again
          </button>
        </Notice>
      );
    }
    return <Waiting />;
  };
}

interface SlotProps<Name extends keyof Slots> {
  readonly fragments: readonly Fragment[];
  readonly name: Name;
  readonly with: Slots[Name];
}

/** Shows the parts that fragments have for a slot, in the order of the fragments. */
export function Filled<Name extends keyof Slots>(props: SlotProps<Name>): JSX.Element {
  return (
    <>
      {props.fragments.map((fragment) => {
        // What a slot gives is what its parts take; the compiler loses sight of that in a union.
        const Part: ComponentType<Slots[Name]> | undefined = fragment.parts?.[props.name];
        return (
          Part && (
            <Boundary what={fragment.what}>
              {h(Part, props.with)}
            </Boundary>
          )
        );
      })}
    </>
  );
}
