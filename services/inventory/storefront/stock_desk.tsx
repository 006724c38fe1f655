/** On the desk: how many units of an item can be bought. */
import type { Item } from "shop-client/inventory/v1/api";
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { announce, counted, Field, Notice, shop, textOf, to, useSubmission } from "storefront";

const SHOWN = 10;
const MOST = 1_000_000_000;

export function StockDesk(): JSX.Element {
  const [found, setFound] = useState<readonly Item[] | null>(null);
  const { busy, problem, problems, onSubmit } = useSubmission("The catalogue", async (form) => {
    const items = await itemsOf(textOf(form, "words").trim());
    setFound(items);
    announce(`${counted(items.length, "item")} found.`);
  });
  return (
    <section aria-labelledby="stock">
      <h2 id="stock">Stock</h2>
      <form class="form narrow" onSubmit={onSubmit}>
        <Field
          label="Item"
          name="words"
          hint="Its SKU, or words of its name."
          maxLength={100}
          problem={problems["query"]}
        />
        {problem && (
          <Notice kind="problem">
            <p>{problem}</p>
          </Notice>
        )}
        <button class="button" type="submit" aria-disabled={busy}>
          Find
        </button>
      </form>
      {found?.length === 0 && <p class="hint">No item has this SKU or these words.</p>}
      {found && (
        <ul class="entries">
          {found.map((item) => (
            <li key={item.sku}>
              <Stock item={item} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The item with a SKU, or those that hold the words. */
async function itemsOf(words: string): Promise<readonly Item[]> {
  try {
    return [await shop.inventory.getItem({ sku: words.toUpperCase() })];
  } catch (thrown) {
    if (!shop.inventory.getItem.refused(thrown)) {
      throw thrown;
    }
  }
  return (await shop.inventory.listItems({ query: words, pageSize: SHOWN })).items;
}

function Stock({ item }: { readonly item: Item }): JSX.Element {
  const name = useId();
  const [stock, setStock] = useState(item.stock);
  const [done, setDone] = useState("");
  const { setStock: send } = shop.inventoryDesk;
  const { busy, problem, problems, onSubmit } = useSubmission(
    "The catalogue",
    async (form) => {
      setDone("");
      try {
        const wanted = Number(textOf(form, "stock"));
        const set = await send({ sku: item.sku, stock: wanted, expectedStock: stock });
        setStock(set.stock);
        setDone(`Set: ${counted(set.stock, "unit")} can be bought.`);
      } catch (thrown) {
        if (send.refused(thrown) && thrown.error.name === "StockChanged") {
          setStock(thrown.error.fields.stock);
        }
        throw thrown;
      }
    },
    (thrown) => {
      if (!send.refused(thrown)) {
        return undefined;
      }
      return thrown.error.name === "StockChanged"
        ? `Meanwhile there are ${counted(thrown.error.fields.stock, "unit")}. Set it once more, if that is still right.`
        : "The shop does not sell it any more.";
    },
  );
  return (
    <>
      <h3 id={name}>
        <a href={to(`/items/${encodeURIComponent(item.sku)}`)}>{item.name}</a>{" "}
        <span class="hint">
          {item.sku}, {counted(stock, "unit")}
        </span>
      </h3>
      <form class="row" aria-labelledby={name} onSubmit={onSubmit}>
        <div class="stock-field">
          <Field
            label="Units that can be bought"
            name="stock"
            type="number"
            min={0}
            max={MOST}
            value={String(stock)}
            problem={problems["stock"]}
          />
        </div>
        <button class="button" type="submit" aria-disabled={busy}>
          Set
        </button>
      </form>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <p role="status">{done}</p>
    </>
  );
}
