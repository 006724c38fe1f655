/** Orders in words. */
import type { Order, OrderEvent, OrderState, OrderStep, Rejection } from "shop-client/orders/v1/api";
import { counted } from "storefront";

const STATES: Partial<Readonly<Record<OrderState, string>>> = {
  ORDER_STATE_PENDING: "Pending",
  ORDER_STATE_CONFIRMED: "Confirmed",
  ORDER_STATE_REJECTED: "Rejected",
  ORDER_STATE_CANCELLING: "Being cancelled",
  ORDER_STATE_CANCELLED: "Cancelled",
};

const EVENTS: Partial<Readonly<Record<OrderEvent, string>>> = {
  ORDER_EVENT_PLACED: "Order placed",
  ORDER_EVENT_STOCK_RESERVED: "Items set aside for you",
  ORDER_EVENT_PAYMENT_TAKEN: "Payment received",
  ORDER_EVENT_CONFIRMED: "Order confirmed",
  ORDER_EVENT_STOCK_REFUSED: "Not enough in stock",
  ORDER_EVENT_PAYMENT_DECLINED: "Payment declined",
  ORDER_EVENT_DELAYED: "It takes longer than usual; we keep trying",
  ORDER_EVENT_CANCEL_REQUESTED: "Cancelling asked for",
  ORDER_EVENT_PAYMENT_VOIDED: "Payment given back",
  ORDER_EVENT_STOCK_RELEASED: "Items put back on the shelf",
  ORDER_EVENT_REJECTED: "Order rejected",
  ORDER_EVENT_CANCELLED: "Order cancelled",
};

const STEPS: Partial<Readonly<Record<OrderStep, string>>> = {
  ORDER_STEP_RESERVE_STOCK: "its items to be set aside",
  ORDER_STEP_TAKE_PAYMENT: "its payment",
  ORDER_STEP_VOID_PAYMENT: "its payment to be given back",
  ORDER_STEP_RELEASE_STOCK: "its items to be put back on the shelf",
};

/** Say what an order waits for. */
export function stepInWords(step: OrderStep): string {
  return STEPS[step] ?? "something that this page does not know";
}

/** Say how far an order has come. */
export function stateInWords(state: OrderState): string {
  return STATES[state] ?? "In a state that this page does not know";
}

/** Say what has happened to an order. */
export function eventInWords(event: OrderEvent): string {
  return EVENTS[event] ?? "Something that this page does not know";
}

/** The class by which a state has its colour. */
export function toneOf(state: OrderState): string {
  switch (state) {
    case "ORDER_STATE_CONFIRMED":
      return "state good";
    case "ORDER_STATE_REJECTED":
      return "state bad";
    default:
      return "state";
  }
}

/** Whether an order is still on its way to where it stays. */
export function isUnderWay({ state }: Order): boolean {
  return state === "ORDER_STATE_PENDING" || state === "ORDER_STATE_CANCELLING";
}

/** Whether an order can be cancelled. */
export function isCancellable({ state }: Order): boolean {
  return state === "ORDER_STATE_PENDING" || state === "ORDER_STATE_CONFIRMED";
}

/** Say why an order came to nothing. */
export function rejectionInWords(order: Order, { reason, shortItems, declineReason }: Rejection): string {
  const nameOf = (sku: string): string => order.lines.find((line) => line.sku === sku)?.name ?? sku;
  switch (reason) {
    case "REJECTION_REASON_OUT_OF_STOCK": {
      const short = shortItems.map(
        ({ sku, ordered, available }) =>
          `${counted(available, "unit")} of ${nameOf(sku)} instead of ${ordered}`,
      );
      return `There was not enough in stock: ${short.join(", ")}.`;
    }
    case "REJECTION_REASON_PAYMENT_DECLINED":
      return `The payment was declined${declineReason && `: ${declineReason}`}.`;
    case "REJECTION_REASON_TIMED_OUT":
      return "Stock or payment could not be had in time. Nothing was charged.";
    default:
      return "Something is wrong with the shop. Nothing was charged.";
  }
}
